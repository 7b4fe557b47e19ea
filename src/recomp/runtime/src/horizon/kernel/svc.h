/* Supervisor calls. `x`: the registers, inputs and outputs alike; what is returned goes to w0. */
#ifndef HZ_SVC_H
#define HZ_SVC_H

#include "../result.h"
#include "kthread.h"

typedef hz_result hz_svc(hz_thread *t, uint64_t *x);

#define HZ_CALL(number, name) hz_svc hz_svc_##name;
#include "calls.h"
#undef HZ_CALL

/* Each call takes this long, so that a program that only asks sees time pass too. */
#define HZ_SVC_NS 1000
#define HZ_COUNTER_READ_NS 500

#endif
