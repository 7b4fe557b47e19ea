/* Faults of the host that are the guest's. */
#ifndef RT_TRAP_H
#define RT_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "thread.h"

/* What a guest did wrong. `number`, `code`: signal and si_code of AArch64 Linux; `shown`: which registers of the
 * thread are those of the instruction at `pc` (RT_FAULTS_...; none: the pc is that of its function). */
typedef struct rt_fault {
  int number, code;
  uint64_t addr, pc;
  int shown;
} rt_fault;

/* The guest's system may have the guest handle it. True = the guest goes on where it was, nothing having changed;
 * false = nobody handles it. Does not return where the handler made the guest go on elsewhere. Of the host's fault
 * handler's stack; a system without such handlers need not define it. */
bool rt_system_fault(rt_thread *t, const rt_fault *fault);

/* On each host thread of a guest: a stack of its own for the fault handler, so that a stack overflow is reported. */
void rt_trap_thread_init(void);

/* Before such a thread ends. */
void rt_trap_thread_done(void);

#endif
