/* Guest threads, one host thread each, and the only way in which one waits.
 *
 * Deterministic mode: exactly one guest thread runs at a time. It goes on until it waits, or spins (rt_spin); then the
 * next one that can run gets its turn, in the order of their creation. When none can, time moves to the earliest
 * deadline.
 * Real time: guest threads run side by side, and hold one lock while they are inside the runtime. */
#ifndef RT_THREAD_H
#define RT_THREAD_H

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt.h"

typedef enum rt_wait_result { RT_WOKEN, RT_TIMED_OUT, RT_INTERRUPTED } rt_wait_result;

typedef struct rt_thread {
  rt_cpu cpu;
  int tid;
  struct rt_thread *next; /* in order of creation, a ring */
  pthread_t host;
  pthread_cond_t turn;

  int priority; /* the lowest number goes first; Linux leaves it at 0 */
  void *object; /* Horizon: its kernel object */
  bool waiting, interruptible;
  bool for_input; /* somebody plays: the wait may end at a tick that nobody knows yet */
  bool for_child; /* the end of a child ends the wait */
  rt_wait_result result;
  uint64_t deadline; /* units */
  const struct pollfd *fds;
  unsigned fd_count;
  uint64_t futex; /* guest address waited at; 0 = none */
  uint32_t futex_bits;

  uint64_t start_pc;     /* where the guest goes when the base loop starts or restarts */
  jmp_buf base;          /* the base loop of its host stack */
  uint64_t clear_tid;    /* set_tid_address: guest address, 0 = none */
  uint64_t robust_list;  /* guest address */
  uint64_t blocked;      /* signal mask: bit n - 1 = signal n */
  uint64_t pending;      /* signals sent to this thread alone */
  uint64_t saved_blocked; /* to come back to after a handler that interrupted sigsuspend or ppoll */
  bool restore_blocked;
  unsigned mask_version; /* of the host's mask, see signals.c */
  uint64_t altstack, altstack_size;
  char name[16];
} rt_thread;

/* Ends a host thread's wait in real time; never the guest's. */
#define RT_KICK (SIGRTMAX - 1)

/* The calling guest thread. */
rt_thread *rt_thread_self(void);

static inline rt_thread *rt_thread_of(rt_cpu *c) { return (rt_thread *)c->thread; }

/* Makes the first guest thread and runs the guest at `entry`; returns at once. `prepare` sets its registers. */
void rt_thread_start_first(uint64_t entry, void (*prepare)(rt_cpu *c));

/* A further thread with the given registers that starts at `pc`; NULL where the host has no room. */
rt_thread *rt_thread_start(const rt_cpu *registers, uint64_t pc);

/* Ends the calling guest thread; when it is the last one, the run with its exit code. */
_Noreturn void rt_thread_exit(rt_thread *t, int code);

/* From inside a supervisor call: leaves every activation on the host stack and goes on at a guest address. */
_Noreturn void rt_thread_restart(rt_thread *t, uint64_t pc);

/* Waits until rt_thread_wake, a deadline (units, RT_FOREVER), readiness of one of the host descriptors (the caller
 * polls them again) or a signal that is not blocked. */
rt_wait_result rt_thread_wait(rt_thread *t, uint64_t deadline, const struct pollfd *fds, unsigned fd_count);

/* The calling thread is about to wait for input that may yet be played. */
void rt_thread_expect_input(void);

/* Input was played at a time: the waits for it end then, as if it had been known all along. */
void rt_thread_input_played(uint64_t at);

/* As rt_thread_wait, but no signal ends it: for what Linux calls uninterruptible, such as waiting for a picture. */
void rt_thread_sleep(rt_thread *t, uint64_t deadline);

/* Ends a thread's wait. */
void rt_thread_wake(rt_thread *t);

/* The same because of a signal; a wait that signals do not end goes on. */
void rt_thread_interrupt(rt_thread *t);

/* Lets the other threads that can run go first; alone, lets a microsecond pass. */
void rt_thread_yield(rt_thread *t);

/* Deterministic mode: lets another thread that can run go first, whatever its priority; false = there is none. */
bool rt_thread_give_way(rt_thread *t);

/* Deterministic mode: lets those threads go first that can run and have the caller's priority or a better one. */
void rt_thread_preempt(rt_thread *t);

/* Deterministic mode: moves virtual time, and ends the waits whose deadline it reaches. */
void rt_thread_let_time_pass(uint64_t until);

/* Whether the calling thread is in a loop that waits for memory to change, and where. */
bool rt_thread_spins(int *tid, uint64_t *pc);

/* The runtime's lock: taken by rt_svc around every supervisor call. */
void rt_thread_enter(rt_thread *t);
void rt_thread_leave(rt_thread *t);

/* Every guest thread, in order of creation: first = NULL starts. NULL after the last one. */
rt_thread *rt_thread_each(rt_thread *after);
rt_thread *rt_thread_find(int tid);
unsigned rt_thread_count(void);

/* In a forked child: only the calling thread is left, under this number. */
void rt_thread_forget_others(rt_thread *t, int tid);

#endif
