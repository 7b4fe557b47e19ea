/* Three threads that count under a futex lock, sleep and yield; the order in which they get their turn is printed. */
#include "guest.h"

#define LOCK DATA
#define COUNT (DATA + 8)
#define DONE (DATA + 16)
#define STACKS (DATA + 0x10000)
#define THREAD_FLAGS 0x3d0f00 /* as pthread_create */

static void lock(rt_cpu *c) {
  uint32_t *word = at(c, LOCK), free = 0;
  while (!__atomic_compare_exchange_n(word, &free, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    sys(c, 98, LOCK, 0, 1, 0); /* FUTEX_WAIT while 1 */
    free = 0;
  }
}

static void unlock(rt_cpu *c) {
  __atomic_store_n((uint32_t *)at(c, LOCK), 0, __ATOMIC_SEQ_CST);
  sys(c, 98, LOCK, 1, 1);
}

GUEST(child) {
  uint64_t me = c->tpidr_el0;
  EXPECT(c, c->x[0] == 0);
  for (int i = 0; i < 3; i++) {
    lock(c);
    int64_t time[2] = {0, 1000000 * (int64_t)me};
    memcpy(at(c, c->sp - 64), time, 16);
    ++*(uint32_t *)at(c, COUNT);
    EXPECT(c, sys(c, 101, c->sp - 64, 0) == 0); /* nanosleep me milliseconds, holding the lock */
    say(c, "%d ", (int)me);
    unlock(c);
    sys(c, 124);
  }
  sys(c, 93, 0);
  return 0;
}

GUEST(run) {
  for (uint64_t i = 1; i <= 3; i++) { /* a thread starts behind its svc, at TEXT + 4 */
    int64_t tid = sys(c, 220, THREAD_FLAGS, STACKS + 0x1000 * i, DONE + 8 * i, i, DONE + 8 * i);
    EXPECT(c, tid > 0 && *(int32_t *)at(c, DONE + 8 * i) == tid);
  }
  for (uint64_t i = 1; i <= 3; i++) /* pthread_join */
    while (*(uint32_t *)at(c, DONE + 8 * i)) sys(c, 98, DONE + 8 * i, 0, *(uint32_t *)at(c, DONE + 8 * i), 0);
  int64_t now[2];
  sys(c, 113, 1, DATA + 0x100);
  memcpy(now, at(c, DATA + 0x100), 16);
  say(c, "\ncount %u, %lld ns\n", *(uint32_t *)at(c, COUNT), (long long)((now[0] - 1000) * 1000000000 + now[1]));
  sys(c, 94, 0);
  return 0;
}

GUEST_MODULE({TEXT + 4, TEXT + 4, child});
