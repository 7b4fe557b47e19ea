/* Faults of the host that are the guest's. */
#ifndef RT_TRAP_H
#define RT_TRAP_H

/* On each host thread of a guest: a stack of its own for the fault handler, so that a stack overflow is reported. */
void rt_trap_thread_init(void);

/* Before such a thread ends. */
void rt_trap_thread_done(void);

#endif
