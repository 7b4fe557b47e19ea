#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "../clock.h"
#include "../end.h"
#include "../memory.h"
#include "../options.h"
#include "../record.h"
#include "../trap.h"
#include "process.h"
#include "sigframe.h"
#include "svc.h"

#define SA_ONSTACK_G 0x08000000u
#define SA_RESTART_G 0x10000000u
#define SA_NODEFER_G 0x40000000u
#define SA_RESETHAND_G 0x80000000u
#define SIG_DFL_G 0
#define SIG_IGN_G 1
#define G_SI_USER 0
#define G_SI_KERNEL 0x80
#define G_SI_TKILL (-6)
#define UNBLOCKABLE (rt_signal_bit(G_SIGKILL) | rt_signal_bit(G_SIGSTOP))

typedef struct action {
  uint64_t handler, flags, restorer, mask;
} action;

static action actions[65];
static uint64_t pending; /* sent to the process */
static rt_siginfo infos[65];
static _Atomic uint64_t from_host; /* set by the host's handlers */
static uint64_t alarm_at = RT_FOREVER, alarm_every;
static bool child;
static unsigned mask_version; /* counts the changes that every thread's host mask has to follow */

static void tell_host(int number);

/* Never forwarded: faults of the port itself, and what the runtime does itself. */
static bool stays_ours(int number) {
  return number == G_SIGSEGV || number == G_SIGBUS || number == G_SIGILL || number == 8 || number == G_SIGTRAP ||
         number == G_SIGABRT || number == G_SIGPIPE || number > 31 || (rt_opt.realtime ? false : number == G_SIGALRM);
}

bool rt_signals_end_run(void) { return !child && (!rt_opt.realtime || rt_record_on()); }

sigset_t rt_signals_that_end_run(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  if (!rt_opt.realtime) sigaddset(&set, SIGALRM), sigaddset(&set, SIGINT);
  return set;
}

/* mov x8, #139; svc #0: only looked at, by unwinders; a return to it is noticed by its address. */
void rt_signals_init(bool is_child) {
  child = is_child;
  static const uint32_t trampoline[] = {0xd2801168, 0xd4000001};
  int problem = rt_memory_map_anonymous(RT_VDSO_BASE, RT_PAGE, RT_READ | RT_WRITE, false);
  if (problem) rt_fail("cannot map the signal trampoline: %s", strerror(problem));
  rt_memory_put(RT_VDSO_BASE, trampoline, sizeof trampoline);
  rt_memory_protect(RT_VDSO_BASE, RT_PAGE, RT_READ | RT_EXEC);
  signal(SIGPIPE, SIG_IGN);
  tell_host(G_SIGCHLD);
}

static void on_kick(int number) { (void)number; }

void rt_signals_thread_init(void) {
  struct sigaction kick = {.sa_handler = on_kick};
  sigaction(RT_KICK, &kick, NULL);
  rt_signals_apply(rt_thread_self());
  rt_trap_thread_init();
}

static void on_host_signal(int number) { atomic_fetch_or(&from_host, rt_signal_bit(number)); }

static bool is_handled(int number) { return actions[number].handler > SIG_IGN_G; }

/* The end of a child ends a wait even where the guest does not handle it. */
static bool waits_for(int number) {
  return is_handled(number) || (number == G_SIGCHLD && rt_process_has_children());
}

/* A guest that blocks SIGCHLD and waits for a child (as shells do) has to be woken by it all the same. */
static bool is_kept_out(const rt_thread *t, int number, bool waiting) {
  return (t->blocked & rt_signal_bit(number)) && !(number == G_SIGCHLD && waiting);
}

/* The host's mask of a guest thread: what the guest handles comes only while it waits; what it blocks does not come.
 * What would end or stop the process acts at any time. The end of a child ends a wait for it even where the guest blocks
 * the signal, which it then finds pending. */
static sigset_t mask_of(const rt_thread *t, bool waiting) {
  sigset_t set;
  sigemptyset(&set);
  if (rt_signals_end_run()) set = rt_signals_that_end_run();
  for (int number = 1; number < 32; number++)
    if (!stays_ours(number) && (is_kept_out(t, number, waiting) || (waits_for(number) && !waiting)))
      sigaddset(&set, number);
  if (waiting && rt_process_has_children()) sigdelset(&set, SIGCHLD);
  if (!waiting) sigaddset(&set, RT_KICK);
  return set;
}

sigset_t rt_signals_host_mask(const rt_thread *t) { return mask_of(t, true); }

void rt_signals_apply(rt_thread *t) {
  t->mask_version = mask_version;
  sigset_t set = mask_of(t, false);
  pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static bool is_ignored(int number) {
  if (actions[number].handler == SIG_IGN_G) return true;
  return actions[number].handler == SIG_DFL_G && (number == G_SIGCHLD || number == 23 || number == 28 || number == 18);
}

static void take_from_host(void) {
  uint64_t bits = atomic_exchange(&from_host, 0);
  for (int number = 1; number < 32; number++)
    if (bits & rt_signal_bit(number)) rt_signals_send(NULL, number, G_SI_USER, 0, 0);
}

static uint64_t deliverable(const rt_thread *t) {
  take_from_host();
  uint64_t bits = (pending | t->pending) & ~t->blocked;
  for (int number = 1; bits && number <= 64; number++)
    if ((bits & rt_signal_bit(number)) && is_ignored(number)) bits &= ~rt_signal_bit(number);
  return bits;
}

bool rt_signals_deliverable(const rt_thread *t) { return deliverable(t) != 0; }

bool rt_signals_expected(void) {
  for (int number = 1; number < 32; number++)
    if (is_handled(number) && !stays_ours(number)) return true;
  return rt_process_has_children();
}

void rt_signals_send(rt_thread *t, int number, int32_t code, int32_t pid, uint64_t value) {
  bool blocked = t ? t->blocked & rt_signal_bit(number) : false;
  if (is_ignored(number) && !blocked) return;
  infos[number] = (rt_siginfo){.number = number, .code = code, .pid = pid, .uid = rt_process_uid(), .value = value};
  if (number == G_SIGSEGV || number == G_SIGBUS) infos[number].addr = value;
  *(t ? &t->pending : &pending) |= rt_signal_bit(number);
  for (rt_thread *other = NULL; (other = rt_thread_each(other));)
    if ((!t || other == t) && !(other->blocked & rt_signal_bit(number))) {
      rt_thread_interrupt(other);
      break;
    }
}

/* Delivery. */

static int take_next(rt_thread *t) {
  uint64_t bits = deliverable(t);
  if (!bits) return 0;
  int number = __builtin_ctzll(bits) + 1;
  if (t->pending & rt_signal_bit(number)) t->pending &= ~rt_signal_bit(number);
  else pending &= ~rt_signal_bit(number);
  return number;
}

static void act_by_default(rt_thread *t, int number) {
  static const char *const names[] = {
      "",       "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",  "SIGTRAP", "SIGABRT", "SIGBUS",  "SIGFPE",    "SIGKILL", "SIGUSR1",
      "SIGSEGV", "SIGUSR2", "SIGPIPE",   "SIGALRM", "SIGTERM", "SIGSTKFLT"};
  if (number >= 19 && number <= 22) { /* SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU */
    kill(getpid(), SIGSTOP);
    return;
  }
  rt_end(RT_END_SIGNAL, number, (rt_end_place){t->cpu.pc, 0}, "signal %d%s%s", number, number <= 16 ? " " : "",
         number <= 16 ? names[number] : "");
}

static bool is_on_altstack(const rt_thread *t) {
  return t->cpu.sp - t->altstack < t->altstack_size;
}

bool rt_signals_handles(const rt_thread *t, int number) {
  return is_handled(number) && !(t->blocked & rt_signal_bit(number));
}

/* Whether control has left the handler whose frame is below `top`, as longjmp does. */
static bool has_left(const rt_thread *t, uint64_t top) {
  bool on_altstack = top - 1 - t->altstack < t->altstack_size;
  return on_altstack ? !is_on_altstack(t) : t->cpu.sp >= top;
}

uint64_t rt_signals_run_handler(rt_thread *t, const rt_siginfo *info, uint64_t pc, uint64_t unused) {
  const int number = info->number;
  action act = actions[number];
  uint64_t mask = t->restore_blocked ? t->saved_blocked : t->blocked;
  t->restore_blocked = false;
  bool switches = (act.flags & SA_ONSTACK_G) && t->altstack_size && !is_on_altstack(t);
  uint64_t top = switches ? t->altstack + t->altstack_size : t->cpu.sp - unused;
  if (act.flags & SA_RESETHAND_G) actions[number].handler = SIG_DFL_G;
  /* What is left alone is one stack: not the guard below it, and nothing behind that. */
  bool fits = switches || rt_memory_allows(top, unused, RT_WRITE);
  if (!fits || !rt_sigframe_push(t, top, pc, info, mask)) act_by_default(t, G_SIGSEGV);
  t->blocked |= act.mask | (act.flags & SA_NODEFER_G ? 0 : rt_signal_bit(number));
  t->blocked &= ~UNBLOCKABLE;
  rt_signals_apply(t);
  rt_thread_leave(t);
  for (uint64_t at = act.handler; at != RT_VDSO_BASE;) {
    at = rt_enter(&t->cpu, at);
    if (at == RT_VDSO_BASE || !has_left(t, top)) continue;
    rt_unwind(&t->cpu, at);
    rt_thread_enter(t);
    rt_thread_restart(t, at);
  }
  rt_thread_enter(t);
  uint64_t back;
  if (!rt_sigframe_pop(t, &back, &t->blocked)) act_by_default(t, G_SIGSEGV);
  rt_signals_apply(t);
  return back;
}

static void run_handler(rt_thread *t, int number, uint64_t pc) {
  uint64_t back = rt_signals_run_handler(t, &infos[number], pc, 0);
  if (back != pc) rt_thread_restart(t, back);
}

bool rt_signals_after_call(rt_thread *t, uint64_t pc, uint64_t first_argument, int64_t result) {
  bool interrupted = result == -RT_RESTART || result == -RT_RESTART_NO_HANDLER, again = interrupted;
  if (!interrupted) t->cpu.x[0] = (uint64_t)result;
  if (t->mask_version != mask_version) rt_signals_apply(t);
  rt_signals_time_passed();
  for (int number; (number = take_next(t));) {
    if (!is_handled(number)) {
      act_by_default(t, number);
      continue;
    }
    if (interrupted) {
      again = result == -RT_RESTART && (actions[number].flags & SA_RESTART_G);
      t->cpu.x[0] = again ? first_argument : (uint64_t)-EINTR;
      interrupted = false;
    }
    run_handler(t, number, again ? pc : pc + 4);
  }
  if (t->restore_blocked) rt_signals_unmask_after_wait(t);
  return again;
}

void rt_signals_mask_for_wait(rt_thread *t, uint64_t mask) {
  t->saved_blocked = t->blocked;
  t->restore_blocked = true;
  t->blocked = mask & ~UNBLOCKABLE;
}

void rt_signals_unmask_after_wait(rt_thread *t) {
  if (t->restore_blocked) t->blocked = t->saved_blocked;
  t->restore_blocked = false;
}

/* The alarm. */

uint64_t rt_signals_alarm(void) { return alarm_at; }

void rt_signals_time_passed(void) {
  if (rt_clock_now() < alarm_at) return;
  alarm_at = alarm_every ? rt_clock_after(rt_clock_now(), alarm_every) : RT_FOREVER;
  rt_signals_send(NULL, G_SIGALRM, G_SI_KERNEL, 0, 0);
}

static void put_timer(int64_t out[4]) {
  uint64_t now = rt_clock_now();
  uint64_t left_us = alarm_at == RT_FOREVER ? 0 : alarm_at > now ? (alarm_at - now) / RT_UNITS_PER_NS / 1000 + 1 : 1;
  uint64_t every_us = alarm_every / 1000;
  out[0] = (int64_t)(every_us / 1000000), out[1] = (int64_t)(every_us % 1000000);
  out[2] = (int64_t)(left_us / 1000000), out[3] = (int64_t)(left_us % 1000000);
}

int64_t rt_svc_getitimer(rt_thread *t, const uint64_t *a) {
  (void)t;
  int64_t out[4] = {0};
  if (a[0] > 2) return -EINVAL;
  if (a[0] == 0) put_timer(out);
  return rt_memory_put(a[1], out, sizeof out) ? 0 : -EFAULT;
}

/* ITIMER_REAL; the CPU timers never run out, as the guest's CPU time does not move by itself. */
int64_t rt_svc_setitimer(rt_thread *t, const uint64_t *a) {
  int64_t timer[4] = {0};
  if (a[1] && !rt_memory_get(timer, a[1], sizeof timer)) return -EFAULT;
  if (timer[1] < 0 || timer[1] > 999999 || timer[3] < 0 || timer[3] > 999999 || timer[0] < 0 || timer[2] < 0)
    return -EINVAL;
  if (a[2]) {
    int64_t problem = rt_svc_getitimer(t, (const uint64_t[]){a[0], a[2]});
    if (problem) return problem;
  }
  if (a[0] != 0) return 0;
  uint64_t ns = (uint64_t)timer[2] * 1000000000 + (uint64_t)timer[3] * 1000;
  alarm_every = (uint64_t)timer[0] * 1000000000 + (uint64_t)timer[1] * 1000;
  alarm_at = ns ? rt_clock_after(rt_clock_now(), ns) : RT_FOREVER;
  return 0;
}

/* What a guest does about signals. */

static void tell_host(int number) {
  if (stays_ours(number) || number == G_SIGKILL || number == G_SIGSTOP) return;
  if (rt_signals_end_run()) {
    sigset_t ending = rt_signals_that_end_run();
    if (sigismember(&ending, number)) return;
  }
  struct sigaction host = {.sa_handler = is_handled(number) || number == G_SIGCHLD                      ? on_host_signal
                                         : actions[number].handler == SIG_IGN_G ? SIG_IGN
                                                                                 : SIG_DFL};
  sigaction(number, &host, NULL);
}

int64_t rt_svc_rt_sigaction(rt_thread *t, const uint64_t *a) {
  action fresh;
  if (a[0] < 1 || a[0] > 64 || a[3] != 8) return -EINVAL;
  int number = (int)a[0];
  action old = actions[number];
  if (a[1]) {
    if (number == G_SIGKILL || number == G_SIGSTOP) return -EINVAL;
    if (!rt_memory_get(&fresh, a[1], sizeof fresh)) return -EFAULT;
    fresh.mask &= ~UNBLOCKABLE;
    actions[number] = fresh;
    if (is_ignored(number)) pending &= ~rt_signal_bit(number), t->pending &= ~rt_signal_bit(number);
    mask_version++;
    rt_signals_apply(t);
    tell_host(number);
  }
  return a[2] && !rt_memory_put(a[2], &old, sizeof old) ? -EFAULT : 0;
}

int64_t rt_svc_rt_sigprocmask(rt_thread *t, const uint64_t *a) {
  uint64_t set, old = t->blocked;
  if (a[3] != 8) return -EINVAL;
  if (a[1]) {
    if (!rt_memory_get(&set, a[1], sizeof set)) return -EFAULT;
    switch (a[0]) {
      case 0: t->blocked |= set; break;  /* SIG_BLOCK */
      case 1: t->blocked &= ~set; break; /* SIG_UNBLOCK */
      case 2: t->blocked = set; break;   /* SIG_SETMASK */
      default: return -EINVAL;
    }
    t->blocked &= ~UNBLOCKABLE;
    rt_signals_apply(t);
  }
  return a[2] && !rt_memory_put(a[2], &old, sizeof old) ? -EFAULT : 0;
}

int64_t rt_svc_rt_sigpending(rt_thread *t, const uint64_t *a) {
  take_from_host();
  uint64_t set = (pending | t->pending) & t->blocked;
  return rt_memory_put(a[0], &set, sizeof set) ? 0 : -EFAULT;
}

int64_t rt_svc_rt_sigsuspend(rt_thread *t, const uint64_t *a) {
  uint64_t mask;
  if (a[1] != 8) return -EINVAL;
  if (!rt_memory_get(&mask, a[0], sizeof mask)) return -EFAULT;
  rt_signals_mask_for_wait(t, mask);
  while (rt_thread_wait(t, RT_FOREVER, NULL, 0) != RT_INTERRUPTED) continue;
  return -RT_RESTART_NO_HANDLER;
}

/* Takes a pending signal of a set without running its handler. */
int64_t rt_svc_rt_sigtimedwait(rt_thread *t, const uint64_t *a) {
  uint64_t set, deadline = RT_FOREVER, ns;
  int64_t problem;
  if (!rt_memory_get(&set, a[0], sizeof set)) return -EFAULT;
  if (a[2]) {
    int64_t ts[2];
    if (!rt_memory_get(ts, a[2], sizeof ts)) return -EFAULT;
    if (ts[0] < 0 || ts[1] < 0) return -EINVAL;
    ns = (uint64_t)ts[0] * 1000000000 + (uint64_t)ts[1];
    deadline = rt_clock_after(rt_clock_now(), ns);
  }
  uint64_t before = t->blocked;
  for (;;) {
    t->blocked = before & ~set;
    uint64_t bits = deliverable(t) & set;
    if (bits) {
      int number = take_next(t);
      t->blocked = before;
      problem = a[1] && !rt_memory_put(a[1], &infos[number], sizeof infos[number]) ? -EFAULT : 0;
      return problem ? problem : number;
    }
    rt_wait_result result = rt_thread_wait(t, deadline, NULL, 0);
    t->blocked = before;
    if (result == RT_TIMED_OUT) return -EAGAIN;
    if (result == RT_INTERRUPTED && !((pending | t->pending) & set)) return -EINTR;
  }
}

/* Reached only by a guest that makes the call itself: the handler's own return is noticed by its address. */
int64_t rt_svc_rt_sigreturn(rt_thread *t, const uint64_t *a) {
  (void)a;
  uint64_t pc;
  if (!rt_sigframe_pop(t, &pc, &t->blocked)) act_by_default(t, G_SIGSEGV);
  rt_signals_apply(t);
  rt_thread_restart(t, pc);
}

int64_t rt_svc_sigaltstack(rt_thread *t, const uint64_t *a) {
  uint64_t stack[3], old[3] = {t->altstack, t->altstack_size ? (is_on_altstack(t) ? 1 : 0) : 2, t->altstack_size};
  if (a[0]) {
    if (!rt_memory_get(stack, a[0], sizeof stack)) return -EFAULT;
    if (t->altstack_size && is_on_altstack(t)) return -EPERM;
    bool disable = (uint32_t)stack[1] & 2;
    if (!disable && stack[2] < 5120) return -ENOMEM; /* MINSIGSTKSZ of AArch64 */
    t->altstack = disable ? 0 : stack[0];
    t->altstack_size = disable ? 0 : stack[2];
  }
  return a[1] && !rt_memory_put(a[1], old, sizeof old) ? -EFAULT : 0;
}

static int64_t to_thread(rt_thread *t, int tid, uint64_t number) {
  rt_thread *to = rt_thread_find(tid);
  if (number > 64 || tid <= 0) return -EINVAL;
  if (!to) return -ESRCH;
  if (number) rt_signals_send(to, (int)number, G_SI_TKILL, rt_process_id(), 0);
  (void)t;
  return 0;
}

int64_t rt_svc_tkill(rt_thread *t, const uint64_t *a) { return to_thread(t, (int)a[0], a[1]); }

int64_t rt_svc_tgkill(rt_thread *t, const uint64_t *a) {
  return (int)a[0] == rt_process_id() ? to_thread(t, (int)a[1], a[2]) : -ESRCH;
}

int64_t rt_svc_kill(rt_thread *t, const uint64_t *a) {
  (void)t;
  int pid = (int)a[0];
  if (a[1] > 64) return -EINVAL;
  if (pid == rt_process_id()) {
    if (a[1]) rt_signals_send(NULL, (int)a[1], G_SI_USER, pid, 0);
    return 0;
  }
  return rt_process_kill(pid, (int)a[1]);
}

int64_t rt_svc_rt_sigqueueinfo(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_siginfo info;
  if (a[1] < 1 || a[1] > 64) return -EINVAL;
  if (!rt_memory_get(&info, a[2], sizeof info)) return -EFAULT;
  if ((int)a[0] != rt_process_id()) return -ESRCH;
  rt_signals_send(NULL, (int)a[1], info.code, info.pid, info.value);
  return 0;
}

void rt_signals_in_child(rt_thread *t) {
  child = true;
  pending = t->pending = 0;
  atomic_store(&from_host, 0);
  alarm_at = RT_FOREVER;
  alarm_every = 0;
  for (int number = 1; number < 32; number++)
    if (number != G_SIGKILL && number != G_SIGSTOP) tell_host(number);
  rt_signals_apply(t);
}

uint64_t rt_signals_ignored(void) {
  uint64_t bits = 0;
  for (int number = 1; number <= 64; number++)
    if (actions[number].handler == SIG_IGN_G) bits |= rt_signal_bit(number);
  return bits;
}

void rt_signals_restore(uint64_t ignored) {
  for (int number = 1; number <= 64; number++)
    if (ignored & rt_signal_bit(number)) actions[number].handler = SIG_IGN_G;
}

void rt_signals_prepare_exec(const rt_thread *t) {
  sigset_t mask;
  sigemptyset(&mask);
  for (int number = 1; number < 32; number++) {
    if (is_handled(number)) signal(number, SIG_DFL);
    if (t->blocked & rt_signal_bit(number)) sigaddset(&mask, number);
  }
  signal(SIGPIPE, actions[G_SIGPIPE].handler == SIG_IGN_G ? SIG_IGN : SIG_DFL);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
