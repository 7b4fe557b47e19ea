/* Threads and futexes. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "../clock.h"
#include "../memory.h"
#include "children.h"
#include "guest_time.h"
#include "process.h"
#include "svc.h"

#define G_CLONE_VM 0x100
#define G_CLONE_VFORK 0x4000
#define G_CLONE_THREAD 0x10000
#define G_CLONE_SETTLS 0x80000
#define G_CLONE_PARENT_SETTID 0x100000
#define G_CLONE_CHILD_CLEARTID 0x200000
#define G_CLONE_CHILD_SETTID 0x1000000

/* Wakes up to `most` threads that wait at a guest address with any of these bits; how many. */
static int64_t wake(uint64_t addr, uint32_t most, uint32_t bits) {
  uint32_t woken = 0;
  for (rt_thread *t = NULL; woken < most && (t = rt_thread_each(t));)
    if (t->waiting && t->futex == addr && (t->futex_bits & bits)) {
      t->futex = 0;
      rt_thread_wake(t);
      woken++;
    }
  return woken;
}

static int64_t wait_at(rt_thread *t, uint64_t addr, uint32_t expected, uint64_t deadline, uint32_t bits) {
  const uint32_t *word = rt_memory_at(addr, 4, RT_READ);
  if (!word) return -EFAULT;
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != expected) return -EAGAIN;
  if (!bits) return -EINVAL;
  t->futex = addr;
  t->futex_bits = bits;
  rt_wait_result result = rt_thread_wait(t, deadline, NULL, 0);
  bool woken = t->futex == 0;
  t->futex = 0;
  if (woken) return 0;
  return result == RT_TIMED_OUT ? -ETIMEDOUT : result == RT_INTERRUPTED ? -RT_RESTART : 0;
}

static int64_t requeue(const uint64_t *a, bool compare) {
  uint32_t word;
  if (compare && !rt_memory_get(&word, a[0], 4)) return -EFAULT;
  if (compare && word != (uint32_t)a[5]) return -EAGAIN;
  int64_t woken = wake(a[0], (uint32_t)a[2], UINT32_MAX);
  uint32_t moved = 0;
  for (rt_thread *t = NULL; moved < (uint32_t)a[3] && (t = rt_thread_each(t));)
    if (t->waiting && t->futex == a[0]) t->futex = a[4], moved++;
  return woken + moved;
}

static int32_t signed12(uint32_t v) { return (int32_t)(v << 20) >> 20; }

/* FUTEX_WAKE_OP: changes the second word, and wakes there too when its old value compares. */
static int64_t wake_op(const uint64_t *a) {
  uint32_t *word = rt_memory_at(a[4], 4, RT_READ | RT_WRITE), how = (uint32_t)a[5];
  if (!word) return -EFAULT;
  uint32_t operand = (uint32_t)signed12(how >> 12 & 0xfff), old = *word;
  if (how >> 31) operand = UINT32_C(1) << (operand & 31);
  switch (how >> 28 & 7) {
    case 0: *word = operand; break;
    case 1: *word = old + operand; break;
    case 2: *word = old | operand; break;
    case 3: *word = old & ~operand; break;
    case 4: *word = old ^ operand; break;
    default: return -ENOSYS;
  }
  int32_t left = (int32_t)old, right = signed12(how & 0xfff);
  bool holds[] = {left == right, left != right, left < right, left <= right, left > right, left >= right};
  unsigned comparison = how >> 24 & 15;
  if (comparison > 5) return -ENOSYS;
  int64_t woken = wake(a[0], (uint32_t)a[2], UINT32_MAX);
  return holds[comparison] ? woken + wake(a[4], (uint32_t)a[3], UINT32_MAX) : woken;
}

int64_t rt_svc_futex(rt_thread *t, const uint64_t *a) {
  uint32_t operation = (uint32_t)a[1] & 0x7f;
  uint64_t deadline = RT_FOREVER, ns;
  int64_t problem = 0;
  if (a[0] % 4) return -EINVAL;
  if (operation == 0) problem = rt_time_deadline(a[3], &deadline);
  if (operation == 9 && a[3]) {
    if (rt_time_get(a[3], &ns, &problem)) deadline = rt_time_absolute(a[1] & 0x100 ? 0 : 1, ns);
  }
  if (problem) return problem;
  switch (operation) {
    case 0: return wait_at(t, a[0], (uint32_t)a[2], deadline, UINT32_MAX);     /* FUTEX_WAIT */
    case 1: return wake(a[0], (uint32_t)a[2], UINT32_MAX);                     /* FUTEX_WAKE */
    case 3: return requeue(a, false);                                          /* FUTEX_REQUEUE */
    case 4: return requeue(a, true);                                           /* FUTEX_CMP_REQUEUE */
    case 5: return wake_op(a);                                                 /* FUTEX_WAKE_OP */
    case 9: return wait_at(t, a[0], (uint32_t)a[2], deadline, (uint32_t)a[5]); /* FUTEX_WAIT_BITSET */
    case 10: return wake(a[0], (uint32_t)a[2], (uint32_t)a[5]);                /* FUTEX_WAKE_BITSET */
    default: return -ENOSYS; /* priority inheritance */
  }
}

static void tell(uint64_t addr, int32_t tid) { rt_memory_put(addr, &tid, sizeof tid); }

static int64_t new_thread(rt_thread *t, const uint64_t *a) {
  rt_cpu registers = t->cpu;
  registers.x[0] = 0;
  if (a[1]) registers.sp = a[1];
  if (a[0] & G_CLONE_SETTLS) registers.tpidr_el0 = a[3];
  rt_thread *fresh = rt_thread_start(&registers, t->cpu.pc + 4);
  if (!fresh) return -EAGAIN;
  if (a[0] & G_CLONE_PARENT_SETTID) tell(a[2], fresh->tid);
  if (a[0] & G_CLONE_CHILD_SETTID) tell(a[4], fresh->tid);
  if (a[0] & G_CLONE_CHILD_CLEARTID) fresh->clear_tid = a[4];
  return fresh->tid;
}

/* Without G_CLONE_VM it is a fork. vfork (G_CLONE_VM | G_CLONE_VFORK) is one too: the child gets copies, and the parent
 * waits for nothing, which a child that only execs or exits cannot tell. */
static int64_t new_process(rt_thread *t, const uint64_t *a) {
  int64_t child = rt_children_fork(t);
  if (child > 0 && (a[0] & G_CLONE_PARENT_SETTID)) tell(a[2], (int32_t)child);
  if (child != 0) return child;
  if (a[1]) t->cpu.sp = a[1];
  if (a[0] & G_CLONE_SETTLS) t->cpu.tpidr_el0 = a[3];
  if (a[0] & G_CLONE_CHILD_SETTID) tell(a[4], t->tid);
  t->clear_tid = a[0] & G_CLONE_CHILD_CLEARTID ? a[4] : 0;
  return 0;
}

int64_t rt_svc_clone(rt_thread *t, const uint64_t *a) {
  if (a[0] & G_CLONE_THREAD) return a[0] & G_CLONE_VM ? new_thread(t, a) : -EINVAL;
  if ((a[0] & G_CLONE_VM) && !(a[0] & G_CLONE_VFORK)) return -ENOSYS;
  return new_process(t, a);
}

int64_t rt_svc_set_tid_address(rt_thread *t, const uint64_t *a) {
  t->clear_tid = a[0];
  return t->tid;
}

int64_t rt_svc_set_robust_list(rt_thread *t, const uint64_t *a) {
  if (a[1] != 24) return -EINVAL;
  t->robust_list = a[0];
  return 0;
}

int64_t rt_svc_get_robust_list(rt_thread *t, const uint64_t *a) {
  uint64_t size = 24;
  (void)t;
  rt_thread *of = a[0] ? rt_thread_find((int)a[0]) : t;
  if (!of) return -ESRCH;
  return rt_memory_put(a[1], &of->robust_list, 8) && rt_memory_put(a[2], &size, 8) ? 0 : -EFAULT;
}

#define FUTEX_OWNER_DIED UINT32_C(0x40000000)
#define FUTEX_WAITERS UINT32_C(0x80000000)
#define MOST_ROBUST 2048

/* Locks that a thread still holds when it ends: struct robust_list_head {next, futex_offset, pending}. */
static void release_robust(rt_thread *t) {
  uint64_t head[3], at;
  if (!t->robust_list || !rt_memory_get(head, t->robust_list, sizeof head)) return;
  at = head[0];
  for (int i = 0; i < MOST_ROBUST && at != t->robust_list; i++) {
    uint64_t lock = at + head[1];
    uint32_t *word = rt_memory_at(lock, 4, RT_READ | RT_WRITE);
    if (word && (*word & 0x3fffffff) == (uint32_t)t->tid) {
      bool waiters = *word & FUTEX_WAITERS;
      *word = (*word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
      if (waiters) wake(lock, 1, UINT32_MAX);
    }
    if (!rt_memory_get(&at, at, sizeof at)) return;
  }
}

int64_t rt_svc_exit(rt_thread *t, const uint64_t *a) {
  release_robust(t);
  if (t->clear_tid && rt_thread_count() > 1) {
    tell(t->clear_tid, 0);
    wake(t->clear_tid, 1, UINT32_MAX);
  }
  rt_thread_exit(t, (int)a[0]);
}

int64_t rt_svc_gettid(rt_thread *t, const uint64_t *a) {
  (void)a;
  return t->tid;
}

int64_t rt_svc_sched_yield(rt_thread *t, const uint64_t *a) {
  (void)a;
  rt_thread_yield(t);
  return 0;
}
