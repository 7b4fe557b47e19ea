/* Supervisor calls. `x`: the registers, inputs and outputs alike; what is returned goes to w0. */
#ifndef HZ_SVC_H
#define HZ_SVC_H

#include "../result.h"
#include "kthread.h"

typedef hz_result hz_svc(hz_thread *t, uint64_t *x);

#define HZ_CALL(number, name) hz_svc hz_svc_##name;
#include "calls.h"
#undef HZ_CALL

/* What a call takes once HZ_FREE_CALLS were made without any time passing, and each reading of the counter. */
#define HZ_SVC_NS 1000
#define HZ_FREE_CALLS 4096 /* at one instant */
#define HZ_COUNTER_READ_NS 500

#endif
