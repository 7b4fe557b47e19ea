/* Mutex words, condition variables and the address arbiter: the kernel's part of locks that user code takes itself. */
#include "../../memory.h"
#include "svc.h"

#define HAS_WAITERS 0x40000000u

static bool read_word(uint64_t addr, uint32_t *value) { return rt_memory_get(value, addr, sizeof *value); }

static bool write_word(uint64_t addr, uint32_t value) { return rt_memory_put(addr, &value, sizeof value); }

static hz_result check_address(uint64_t addr) {
  if (addr % 4) return HZ_INVALID_ADDRESS;
  return rt_memory_allows(addr, 4, RT_READ | RT_WRITE) ? HZ_OK : HZ_INVALID_STATE_OF_MEMORY;
}

hz_result hz_svc_arbitrate_lock(hz_thread *t, uint64_t *x) {
  uint32_t value = 0;
  const hz_result problem = check_address(x[1]);
  if (problem) return problem;
  read_word(x[1], &value);
  if (value != ((uint32_t)x[0] | HAS_WAITERS)) return HZ_OK; /* it changed hands: user code looks again */
  hz_thread *owner = hz_handle_get((uint32_t)x[0], &hz_kind_thread);
  if (!owner) return HZ_INVALID_HANDLE;
  t->address = x[1];
  t->tag = (uint32_t)x[2];
  t->owner = owner;
  return hz_thread_wait(t, HZ_WAITS_MUTEX, hz_deadline(-1));
}

/* Whose turn is first owns the mutex now; those behind wait for it. */
static void unlock(const hz_thread *owner, uint64_t addr) {
  hz_thread *next = hz_thread_waiter(HZ_WAITS_MUTEX, addr, owner);
  if (!next) {
    write_word(addr, 0);
    return;
  }
  hz_thread_wake(next, HZ_OK);
  bool more = false;
  for (hz_thread *other; (other = hz_thread_waiter(HZ_WAITS_MUTEX, addr, owner)); more = true) other->owner = next;
  write_word(addr, next->tag | (more ? HAS_WAITERS : 0));
}

hz_result hz_svc_arbitrate_unlock(hz_thread *t, uint64_t *x) {
  const hz_result problem = check_address(x[0]);
  if (problem) return problem;
  unlock(t, x[0]);
  return HZ_OK;
}

hz_result hz_svc_wait_process_wide_key(hz_thread *t, uint64_t *x) {
  const hz_result problem = check_address(x[0]);
  if (problem) return problem;
  if (!write_word(x[1], 1)) return HZ_INVALID_STATE_OF_MEMORY;
  unlock(t, x[0]);
  if ((int64_t)x[3] == 0) return HZ_TIMED_OUT;
  t->address = x[0];
  t->key = x[1];
  t->tag = (uint32_t)x[2];
  return hz_thread_wait(t, HZ_WAITS_CONDITION, hz_deadline((int64_t)x[3]));
}

/* A sleeper that was signalled wakes when it owns the mutex. */
static void take_mutex_for(hz_thread *sleeper) {
  uint32_t value = 0;
  read_word(sleeper->address, &value);
  if (!value) {
    write_word(sleeper->address, sleeper->tag);
    hz_thread_wake(sleeper, HZ_OK);
    return;
  }
  write_word(sleeper->address, value | HAS_WAITERS);
  sleeper->owner = hz_handle_get(value & ~HAS_WAITERS, &hz_kind_thread);
  sleeper->wait = HZ_WAITS_MUTEX;
  sleeper->thread->deadline = UINT64_MAX;
  if (!sleeper->owner) hz_thread_wake(sleeper, HZ_INVALID_STATE);
}

hz_result hz_svc_signal_process_wide_key(hz_thread *t, uint64_t *x) {
  (void)t;
  const int32_t count = (int32_t)x[1];
  hz_thread *sleeper;
  for (int32_t n = 0; (count <= 0 || n < count) && (sleeper = hz_thread_waiter(HZ_WAITS_CONDITION, x[0], NULL)); n++)
    take_mutex_for(sleeper);
  if (!hz_thread_waiter(HZ_WAITS_CONDITION, x[0], NULL)) write_word(x[0], 0);
  return (hz_result)x[0]; /* the call has no result: the register stays as it is */
}

/* Address arbiter. */

enum { IF_LESS_THAN, DECREMENT_AND_IF_LESS_THAN, IF_EQUAL };
enum { SIGNAL, INCREMENT_IF_EQUAL, MODIFY_BY_WAITERS_IF_EQUAL };

hz_result hz_svc_wait_for_address(hz_thread *t, uint64_t *x) {
  const uint32_t type = (uint32_t)x[1];
  const int32_t wanted = (int32_t)x[2];
  const int64_t timeout_ns = (int64_t)x[3];
  uint32_t value = 0;
  const hz_result problem = check_address(x[0]);
  if (problem) return problem;
  if (type > IF_EQUAL) return HZ_INVALID_ENUM;
  read_word(x[0], &value);
  const bool holds = type == IF_EQUAL ? (int32_t)value == wanted : (int32_t)value < wanted;
  if (!holds) return HZ_INVALID_STATE;
  if (type == DECREMENT_AND_IF_LESS_THAN) write_word(x[0], value - 1);
  if (timeout_ns == 0) return HZ_TIMED_OUT;
  t->address = x[0];
  return hz_thread_wait(t, HZ_WAITS_ADDRESS, hz_deadline(timeout_ns));
}

static int32_t count_waiters(uint64_t addr) {
  int32_t n = 0;
  for (rt_thread *r = NULL; (r = rt_thread_each(r));) {
    const hz_thread *t = r->object;
    n += t && t->wait == HZ_WAITS_ADDRESS && t->address == addr;
  }
  return n;
}

static uint32_t modified(uint32_t value, int32_t waiters, int32_t count) {
  if (!waiters) return value + 1;
  if (count <= 0) return value - 1;
  return waiters <= count ? value - 1 : value;
}

hz_result hz_svc_signal_to_address(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint32_t type = (uint32_t)x[1];
  const int32_t count = (int32_t)x[3];
  uint32_t value = 0;
  const hz_result problem = check_address(x[0]);
  if (problem) return problem;
  if (type > MODIFY_BY_WAITERS_IF_EQUAL) return HZ_INVALID_ENUM;
  read_word(x[0], &value);
  if (type != SIGNAL && value != (uint32_t)x[2]) return HZ_INVALID_STATE;
  if (type == INCREMENT_IF_EQUAL) write_word(x[0], value + 1);
  if (type == MODIFY_BY_WAITERS_IF_EQUAL) write_word(x[0], modified(value, count_waiters(x[0]), count));
  hz_thread *waiter;
  for (int32_t n = 0; (count <= 0 || n < count) && (waiter = hz_thread_waiter(HZ_WAITS_ADDRESS, x[0], NULL)); n++)
    hz_thread_wake(waiter, HZ_OK);
  return HZ_OK;
}
