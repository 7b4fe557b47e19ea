/* What the guest's system provides to the shared part of the runtime: linux/ or horizon/, of which a project carries
 * exactly one. */
#ifndef RT_SYSTEM_H
#define RT_SYSTEM_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt.h"
#include "thread.h"

/* The ABI that rt_module.abi has to name. */
extern const char rt_system_abi[];

/* Builds the guest's world, when the recording, the memory and the index of functions are there already. */
void rt_system_init(int argc, char **argv);

/* The registers of the first guest thread. */
void rt_system_prepare(rt_cpu *c);

/* Which signals to the port end the run as a limit; false = none does. */
bool rt_system_ends_by(sigset_t *set);

/* On each new host thread of a guest, and the number of a new guest thread. */
void rt_system_thread_init(void);
int rt_system_thread_id(bool is_first);

/* The next instant (units) at which the system itself does something, such as showing a picture; RT_FOREVER = none
 * that any thread could be waiting for. */
uint64_t rt_system_deadline(void);

/* Moves virtual time forward to `until`, which is not behind that instant, and does what is due before waits time out;
 * then what is due after that. */
void rt_system_advance(uint64_t until);
void rt_system_time_passed(void);

/* Whether something from outside is pending that would interrupt the thread's wait, whether it may still come, and the
 * host's signal mask meanwhile. */
bool rt_system_interrupts(const rt_thread *t);
bool rt_system_expects_signal(void);
sigset_t rt_system_wait_mask(const rt_thread *t);

#endif
