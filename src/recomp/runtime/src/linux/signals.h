/* Signals: who is sent one, and handlers that really run.
 *
 * A handler runs inside rt_svc, in a loop of its own, on a frame in guest memory as the AArch64 kernel lays it out.
 * So a signal reaches a handler at the guest's next supervisor call; those without one act as the host lets them.
 * Faults reach theirs where they happen (faults.c). */
#ifndef RT_LINUX_SIGNALS_H
#define RT_LINUX_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "../thread.h"
#include "sigframe.h"

#define G_SIGINT 2
#define G_SIGILL 4
#define G_SIGTRAP 5
#define G_SIGABRT 6
#define G_SIGBUS 7
#define G_SIGKILL 9
#define G_SIGSEGV 11
#define G_SIGPIPE 13
#define G_SIGALRM 14
#define G_SIGTERM 15
#define G_SIGCHLD 17
#define G_SIGSTOP 19

static inline uint64_t rt_signal_bit(int number) { return UINT64_C(1) << (number - 1); }

/* Once, before the first guest thread: the signal trampoline's page and the host's dispositions. `is_child`: a child of
 * the first process of the guest, which no signal ends as a limit. */
void rt_signals_init(bool is_child);

/* On each new host thread of a guest. */
void rt_signals_thread_init(void);

/* Whether the port's own signals (SIGTERM, SIGALRM, SIGINT) end the run as a limit. */
bool rt_signals_end_run(void);
sigset_t rt_signals_that_end_run(void);

/* Brings the host's mask of the calling thread up to date. */
void rt_signals_apply(rt_thread *t);

/* The host mask while a guest thread waits. */
sigset_t rt_signals_host_mask(const rt_thread *t);

/* Whether something is pending that would interrupt the thread's wait. */
bool rt_signals_deliverable(const rt_thread *t);

/* Whether a signal from outside may still come: somebody handles one, or has a child. */
bool rt_signals_expected(void);

/* Sends a signal to one thread, or with NULL to the process. `code` is si_code, `value` si_value or si_addr. */
void rt_signals_send(rt_thread *t, int number, int32_t code, int32_t pid, uint64_t value);

/* After a supervisor call at `pc` with this result: acts on every deliverable signal and sets x0. True = the call
 * starts again. May not return (handlers that change where the guest goes on, deadly signals). */
bool rt_signals_after_call(rt_thread *t, uint64_t pc, uint64_t first_argument, int64_t result);

/* Whether a thread has a handler for a signal and does not block it. */
bool rt_signals_handles(const rt_thread *t, int number);

/* Runs the handler of a signal to its end, with a frame that goes on at `pc`, and takes the frame back; where the guest
 * goes on then. `unused`: bytes below sp to leave alone. Does not return where the handler leaves by longjmp. */
uint64_t rt_signals_run_handler(rt_thread *t, const rt_siginfo *info, uint64_t pc, uint64_t unused);

/* The mask of sigsuspend, ppoll, pselect6: holds until a handler has run, or until unmask. */
void rt_signals_mask_for_wait(rt_thread *t, uint64_t mask);
void rt_signals_unmask_after_wait(rt_thread *t);

/* The virtual alarm (setitimer): its deadline in units, and what happens when time has reached it. */
uint64_t rt_signals_alarm(void);
void rt_signals_time_passed(void);

/* In a forked child: nothing is pending, no alarm is set. */
void rt_signals_in_child(rt_thread *t);

/* What stays over an execve: the mask, and what is ignored. */
uint64_t rt_signals_ignored(void);
void rt_signals_restore(uint64_t ignored);

/* Before another program of the host takes this process over: its dispositions and mask are what the guest's were. */
void rt_signals_prepare_exec(const rt_thread *t);

#endif
