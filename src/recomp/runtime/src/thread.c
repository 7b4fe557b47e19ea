#define _GNU_SOURCE
#include "thread.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "end.h"
#include "memory.h"
#include "options.h"
#include "system.h"
#include "trap.h"

#define FIRST_HOST_STACK (UINT64_C(512) << 20) /* bytes of address space; only what is used costs memory */
#define HOST_STACK (UINT64_C(64) << 20)
#define SPINS_AT_ONCE 64u       /* so often waiting loops take turns before time moves */
#define MOST_SPINS (1u << 22)   /* then nobody will end them any more */
#define SPIN_NS 1000u           /* one attempt to take a lock */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static rt_thread *first, *last;
static rt_thread *current; /* deterministic mode: whose turn it is */
static unsigned count;
static unsigned spun;      /* turns of waiting loops since the last supervisor call of anybody */
static uint64_t spun_at;   /* where the last one was */
static _Thread_local rt_thread *self;

rt_thread *rt_thread_self(void) { return self; }

rt_thread *rt_thread_each(rt_thread *after) {
  if (!after) return first;
  return after == last ? NULL : after->next;
}

rt_thread *rt_thread_find(int tid) {
  for (rt_thread *t = NULL; (t = rt_thread_each(t));)
    if (t->tid == tid) return t;
  return NULL;
}

unsigned rt_thread_count(void) { return count; }

static void append(rt_thread *t) {
  if (last) last->next = t;
  else first = t;
  last = t;
  t->next = first;
  count++;
}

static void drop(rt_thread *t) {
  rt_thread *before = last;
  while (before->next != t) before = before->next;
  before->next = t->next;
  if (t == first) first = t->next;
  if (t == last) last = before;
  count--;
}

/* Deterministic mode: waiting for something on the host, or for time. */

static bool is_watched(const struct pollfd *fds, unsigned fd_count, const rt_thread *t) {
  for (unsigned i = 0; i < t->fd_count; i++)
    for (unsigned k = 0; k < fd_count; k++)
      if (fds[k].fd == t->fds[i].fd && (fds[k].revents & (t->fds[i].events | POLLERR | POLLHUP | POLLNVAL))) return true;
  return false;
}

static void end_wait(rt_thread *t, rt_wait_result result) {
  t->waiting = false;
  t->result = result;
}

static uint64_t earliest_deadline(void) {
  uint64_t earliest = rt_system_deadline();
  for (rt_thread *t = NULL; (t = rt_thread_each(t));)
    if (t->waiting && t->deadline < earliest) earliest = t->deadline;
  uint64_t next_tick = (rt_clock_tick() + 1) * RT_UNITS_PER_TICK;
  for (rt_thread *t = NULL; (t = rt_thread_each(t));)
    if (t->waiting && t->for_input && next_tick < earliest) earliest = next_tick;
  return earliest;
}

void rt_thread_expect_input(void) { self->for_input = true; }

void rt_thread_input_played(uint64_t at) {
  for (rt_thread *t = NULL; (t = rt_thread_each(t));)
    if (t->waiting && t->for_input && t->deadline > at) t->deadline = at;
}

#define MOST_WATCHED 1024

static unsigned collect_watched(struct pollfd *fds) {
  unsigned n = 0;
  for (rt_thread *t = NULL; (t = rt_thread_each(t));)
    for (unsigned i = 0; t->waiting && i < t->fd_count && n < MOST_WATCHED; i++)
      if (t->fds[i].fd >= 0) fds[n++] = t->fds[i];
  return n;
}

static int host_poll(struct pollfd *fds, unsigned n, uint64_t units) {
  uint64_t ns = units / RT_UNITS_PER_NS + 1;
  struct timespec timeout = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
  sigset_t open = rt_system_wait_mask(self);
  return ppoll(fds, n, units == RT_FOREVER ? NULL : &timeout, &open);
}

/* After the host was waited for: signals interrupt, and any of them may have been a child's end. */
static bool interrupt_waiters(void) {
  bool any = false;
  for (rt_thread *t = NULL; (t = rt_thread_each(t));) {
    bool deliverable = t->interruptible && rt_system_interrupts(t);
    if (!t->waiting || !(deliverable || t->for_child)) continue;
    end_wait(t, deliverable ? RT_INTERRUPTED : RT_WOKEN);
    any = true;
  }
  return any;
}

static void wake_watchers(const struct pollfd *fds, unsigned n) {
  for (rt_thread *t = NULL; (t = rt_thread_each(t));)
    if (t->waiting && is_watched(fds, n, t)) end_wait(t, RT_WOKEN);
}

void rt_thread_let_time_pass(uint64_t until) {
  rt_system_advance(until);
  for (rt_thread *t = NULL; (t = rt_thread_each(t));)
    if (t->waiting && t->deadline <= until) end_wait(t, RT_TIMED_OUT);
  rt_system_time_passed();
}

bool rt_thread_spins(int *tid, uint64_t *pc) {
  if (!spun || !self) return false;
  *tid = self->tid;
  *pc = spun_at;
  return true;
}

static _Noreturn void end_in_deadlock(void) {
  if (rt_opt.max_ticks) rt_clock_advance(RT_FOREVER);
  if (spun)
    rt_end(RT_END_LIMIT, RT_CODE_LIMIT, (rt_end_place){spun_at, 0},
           "guest thread %d spins for what nobody else can bring any more", self->tid);
  rt_end(RT_END_LIMIT, RT_CODE_LIMIT, (rt_end_place){self->cpu.pc, 0},
         "every guest thread waits for something that cannot happen any more");
}

/* Nobody can run. What the host still may bring (input on a descriptor, a signal) is waited for as long as the guest
 * would wait, in host time; then virtual time moves. */
static void idle(void) {
  struct pollfd fds[MOST_WATCHED];
  unsigned n = collect_watched(fds);
  uint64_t deadline = earliest_deadline();
  bool expects_signal = deadline == RT_FOREVER && rt_system_expects_signal();
  if (!n && deadline == RT_FOREVER && !expects_signal) end_in_deadlock();
  if (n || expects_signal) {
    uint64_t units = deadline == RT_FOREVER ? RT_FOREVER : deadline > rt_clock_now() ? deadline - rt_clock_now() : 0;
    int ready = host_poll(fds, n, units);
    if (ready > 0) {
      wake_watchers(fds, n);
      return;
    }
    if (interrupt_waiters() || ready < 0) return;
  }
  if (deadline != RT_FOREVER) rt_thread_let_time_pass(deadline);
}

/* Of the threads that can run one of the best priority, the caller last of all; NULL where there is none. */
static rt_thread *choose(rt_thread *t, bool leaving) {
  rt_thread *best = NULL;
  for (rt_thread *next = t->next;; next = next->next) {
    if (!next->waiting && !(leaving && next == t) && (!best || next->priority < best->priority)) best = next;
    if (next == t) return best;
  }
}

static void hand_over(rt_thread *t, rt_thread *next, bool leaving) {
  current = next;
  pthread_cond_signal(&next->turn);
  while (!leaving && current != t) pthread_cond_wait(&t->turn, &lock);
}

/* Gives the turn to the next thread that can run; on return the caller may run. */
static void give_turn(rt_thread *t, bool leaving) {
  rt_thread *next;
  while (!(next = choose(t, leaving))) idle();
  if (next != t) hand_over(t, next, leaving);
}

/* Real time: the host's clock and the host's own waiting. */

/* Whichever thread a signal interrupted: it may have been the end of a child that another one waits for. */
static void wake_parents(void) {
  for (rt_thread *t = NULL; (t = rt_thread_each(t));)
    if (t->for_child) rt_thread_wake(t);
}

static rt_wait_result wait_on_host(rt_thread *t) {
  for (;;) {
    if (!t->waiting) return t->result;
    if (t->interruptible && rt_system_interrupts(t)) return RT_INTERRUPTED;
    uint64_t now = rt_clock_now(), alarm = rt_system_deadline();
    if (now >= t->deadline) return RT_TIMED_OUT;
    if (now >= alarm) rt_system_time_passed();
    uint64_t until = t->deadline < alarm ? t->deadline : alarm;
    uint64_t units = until == RT_FOREVER ? RT_FOREVER : until - now;
    struct pollfd fds[MOST_WATCHED];
    unsigned n = t->fd_count < MOST_WATCHED ? t->fd_count : MOST_WATCHED;
    if (n) memcpy(fds, t->fds, n * sizeof *fds);
    pthread_mutex_unlock(&lock);
    int ready = host_poll(fds, n, units);
    pthread_mutex_lock(&lock);
    if (ready < 0) wake_parents();
    if (ready > 0) return RT_WOKEN;
  }
}

static rt_wait_result wait_until(rt_thread *t, uint64_t deadline, const struct pollfd *fds, unsigned n,
                                 bool interruptible) {
  if (interruptible && rt_system_interrupts(t)) {
    t->for_input = false;
    return RT_INTERRUPTED;
  }
  t->waiting = true;
  t->interruptible = interruptible;
  t->deadline = deadline;
  t->fds = fds;
  t->fd_count = n;
  if (rt_opt.realtime) {
    t->result = wait_on_host(t);
    rt_clock_advance(rt_clock_now());
  } else {
    give_turn(t, false);
  }
  t->waiting = t->for_input = false;
  t->fd_count = 0;
  return t->result;
}

rt_wait_result rt_thread_wait(rt_thread *t, uint64_t deadline, const struct pollfd *fds, unsigned n) {
  return wait_until(t, deadline, fds, n, true);
}

void rt_thread_sleep(rt_thread *t, uint64_t deadline) { wait_until(t, deadline, NULL, 0, false); }

void rt_thread_wake(rt_thread *t) {
  if (!t->waiting) return;
  end_wait(t, RT_WOKEN);
  if (rt_opt.realtime && t != self) pthread_kill(t->host, RT_KICK);
}

bool rt_thread_give_way(rt_thread *t) {
  rt_thread *next = choose(t, true);
  if (next) hand_over(t, next, false);
  return next != NULL;
}

void rt_thread_yield(rt_thread *t) {
  if (rt_opt.realtime) {
    pthread_mutex_unlock(&lock);
    sched_yield();
    pthread_mutex_lock(&lock);
    return;
  }
  if (!rt_thread_give_way(t)) rt_thread_sleep(t, rt_clock_after(rt_clock_now(), 1000));
}

void rt_thread_preempt(rt_thread *t) {
  rt_thread *next = choose(t, false);
  spun = 0;
  if (next && next != t) hand_over(t, next, false);
}

/* Waiting loops take turns. Where all there is are such loops nothing happens until time moves. */
void rt_spin(rt_cpu *c, uint64_t pc, int stores) {
  if (rt_opt.realtime) return;
  rt_thread *t = rt_thread_of(c), *next = choose(t, true);
  c->pc = spun_at = pc;
  if (++spun > MOST_SPINS) end_in_deadlock();
  if (!next && !stores) {
    idle();
    return;
  }
  const uint64_t until = next ? earliest_deadline() : rt_clock_after(rt_clock_now(), SPIN_NS);
  if ((!next || spun % SPINS_AT_ONCE == 0) && until != RT_FOREVER) rt_thread_let_time_pass(until);
  if ((next = choose(t, true))) hand_over(t, next, false);
}

void rt_thread_enter(rt_thread *t) {
  (void)t;
  spun = 0;
  if (rt_opt.realtime) pthread_mutex_lock(&lock);
}

void rt_thread_leave(rt_thread *t) {
  (void)t;
  if (rt_opt.realtime) pthread_mutex_unlock(&lock);
}

/* Life and death. Deterministic mode: the thread whose turn it is holds the lock all the time. */

static void *run(void *argument) {
  rt_thread *t = argument;
  self = t;
  rt_system_thread_init();
  pthread_mutex_lock(&lock);
  while (!rt_opt.realtime && current != t) pthread_cond_wait(&t->turn, &lock);
  if (rt_opt.realtime) pthread_mutex_unlock(&lock);
  setjmp(self->base);
  rt_run(&self->cpu, self->start_pc, 1);
  rt_fail("the guest's base loop ended [this is a bug]");
}

static bool spawn(rt_thread *t, uint64_t stack_size) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  bool ok = pthread_attr_setstacksize(&attributes, stack_size) == 0 && pthread_create(&t->host, &attributes, run, t) == 0;
  pthread_attr_destroy(&attributes);
  return ok;
}

static rt_thread *make(uint64_t pc) {
  void *place = NULL;
  if (posix_memalign(&place, 64, sizeof(rt_thread))) return NULL;
  rt_thread *t = memset(place, 0, sizeof(rt_thread));
  t->tid = rt_system_thread_id(!first);
  t->cpu.memory = rt_memory;
  t->cpu.thread = t;
  t->cpu.monitor_addr = UINT64_MAX;
  t->start_pc = pc;
  pthread_cond_init(&t->turn, NULL);
  return t;
}

void rt_thread_start_first(uint64_t entry, void (*prepare)(rt_cpu *c)) {
  rt_thread *t = make(entry);
  if (!t) rt_fail("out of memory for the first guest thread");
  prepare(&t->cpu);
  append(t);
  current = t;
  if (!spawn(t, FIRST_HOST_STACK)) rt_fail("cannot start the first guest thread: %s", strerror(errno));
}

rt_thread *rt_thread_start(const rt_cpu *registers, uint64_t pc) {
  rt_thread *t = make(pc);
  if (!t) return NULL;
  t->cpu = *registers;
  t->cpu.thread = t;
  t->cpu.active = NULL;
  t->cpu.monitor_addr = UINT64_MAX;
  t->blocked = self->blocked;
  append(t);
  if (spawn(t, HOST_STACK)) return t;
  drop(t);
  free(t);
  return NULL;
}

void rt_thread_exit(rt_thread *t, int code) {
  if (count == 1) rt_end(RT_END_EXIT, code, (rt_end_place){0, 0}, "the last guest thread ended");
  if (!rt_opt.realtime) give_turn(t, true);
  drop(t);
  free(t);
  rt_trap_thread_done();
  pthread_mutex_unlock(&lock);
  pthread_exit(NULL);
}

void rt_thread_interrupt(rt_thread *t) {
  if (!t->waiting || !t->interruptible) return;
  end_wait(t, RT_INTERRUPTED);
  if (rt_opt.realtime && t != self) pthread_kill(t->host, RT_KICK);
}

void rt_thread_restart(rt_thread *t, uint64_t pc) {
  t->start_pc = pc;
  t->cpu.active = NULL;
  rt_thread_leave(t);
  longjmp(t->base, 1);
}

void rt_thread_forget_others(rt_thread *t, int tid) {
  first = last = current = t;
  t->next = t;
  t->tid = tid;
  t->host = pthread_self();
  count = 1;
}
