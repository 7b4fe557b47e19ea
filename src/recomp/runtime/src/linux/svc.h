/* The supervisor calls of AArch64 Linux: registers in, a value or a negated errno out. */
#ifndef RT_LINUX_SVC_H
#define RT_LINUX_SVC_H

#include <errno.h>
#include <stdint.h>

#include "../thread.h"

/* `a` holds x0..x5. Errno numbers are those of Linux, guest and host alike. */
typedef int64_t rt_svc_call(rt_thread *t, const uint64_t *a);

/* Internal results, never seen by a guest: a signal ended a wait, and the call starts again after its handler if that
 * was installed with SA_RESTART (RESTART) or never (EINTR itself), or only if no handler ran (NO_HANDLER). */
#define RT_RESTART 512
#define RT_RESTART_NO_HANDLER 514

static inline int64_t rt_host_result(int64_t result) { return result < 0 ? -errno : result; }

#define RT_CALL(number, name) rt_svc_call rt_svc_##name;
#include "calls.h"
#undef RT_CALL

#endif
