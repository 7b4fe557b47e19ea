#include "kthread.h"

#include <string.h>

#include "../../clock.h"
#include "../../end.h"
#include "../../memory.h"
#include "../layout.h"

#define TLS_SIZE 0x200u
#define TLS_PLACES (HZ_TLS_SIZE / TLS_SIZE)

static bool tls_used[TLS_PLACES];
static uint64_t last_id, last_order;

hz_thread *hz_thread_current(void) { return rt_thread_self()->object; }

/* 0 = none is free. The first place of each page stays free, as the kernel's pages of thread blocks have a header. */
static uint64_t take_tls(void) {
  for (uint32_t i = 0; i < TLS_PLACES; i++) {
    if (tls_used[i] || i % (RT_PAGE / TLS_SIZE) == 0) continue;
    tls_used[i] = true;
    memset(rt_memory + HZ_TLS_BASE + i * TLS_SIZE, 0, TLS_SIZE);
    return HZ_TLS_BASE + i * TLS_SIZE;
  }
  return 0;
}

unsigned hz_threads_free(void) {
  unsigned n = 0;
  for (uint32_t i = 0; i < TLS_PLACES; i++) n += !tls_used[i] && i % (RT_PAGE / TLS_SIZE) != 0;
  return n;
}

static void destroy(hz_object *object) { tls_used[(((hz_thread *)object)->tls - HZ_TLS_BASE) / TLS_SIZE] = false; }

static bool is_signalled(const hz_object *object) { return ((const hz_thread *)object)->ended; }

const hz_kind hz_kind_thread = {"thread", is_signalled, destroy};

hz_thread *hz_thread_new(uint64_t entry, uint64_t argument, uint64_t stack, int priority, int core) {
  const uint64_t tls = take_tls();
  if (!tls) return NULL;
  hz_thread *t = hz_object_new(&hz_kind_thread, sizeof *t);
  t->id = ++last_id;
  t->entry = entry;
  t->argument = argument;
  t->stack = stack;
  t->priority = priority;
  t->core = core;
  t->core_mask = UINT64_C(1) << core;
  t->tls = tls;
  return t;
}

hz_thread *hz_thread_first(void) {
  hz_thread *t = hz_thread_new(0, 0, 0, HZ_PRIORITY_MAIN, 0);
  t->started = true;
  return t;
}

void hz_thread_bind(hz_thread *t, rt_thread *thread) {
  t->thread = thread;
  thread->object = t;
  thread->priority = t->priority;
}

hz_result hz_thread_start(hz_thread *t) {
  if (t->started) return HZ_INVALID_STATE;
  rt_cpu registers;
  memset(&registers, 0, sizeof registers);
  registers.memory = rt_memory;
  registers.x[0] = t->argument;
  registers.sp = t->stack;
  registers.tpidrro_el0 = t->tls;
  rt_thread *thread = rt_thread_start(&registers, t->entry);
  if (!thread) return HZ_OUT_OF_MEMORY;
  hz_thread_bind(hz_object_keep(t), thread);
  t->started = true;
  return HZ_OK;
}

void hz_thread_exit(void) {
  hz_thread *t = hz_thread_current();
  rt_thread *thread = t->thread;
  t->ended = true;
  t->thread = NULL;
  thread->object = NULL; /* from here on it is nobody's */
  hz_thread_notice(&t->object);
  hz_object_drop(t);
  rt_thread_exit(thread, 0);
}

void hz_thread_set_priority(hz_thread *t, int priority) {
  t->priority = priority;
  if (t->thread) t->thread->priority = priority;
}

uint64_t hz_deadline(int64_t timeout_ns) {
  return timeout_ns < 0 ? RT_FOREVER : rt_clock_after(rt_clock_now(), (uint64_t)timeout_ns);
}

hz_result hz_thread_wait(hz_thread *t, hz_wait wait, uint64_t deadline) {
  t->wait = wait;
  t->order = ++last_order;
  t->result = HZ_TIMED_OUT;
  t->index = -1;
  rt_thread_wait(t->thread, deadline, NULL, 0);
  t->wait = HZ_RUNS;
  return t->result;
}

void hz_thread_wake(hz_thread *t, hz_result result) {
  t->result = result;
  t->wait = HZ_RUNS;
  rt_thread_wake(t->thread);
}

static hz_thread *object_of(rt_thread *thread) { return thread->object; }

void hz_thread_notice(const hz_object *object) {
  if (!object->kind->is_signalled(object)) return;
  for (rt_thread *r = NULL; (r = rt_thread_each(r));) {
    hz_thread *t = object_of(r);
    if (!t || t->wait != HZ_WAITS_OBJECTS) continue;
    for (uint32_t i = 0; i < t->object_count; i++) {
      if (t->objects[i] != object) continue;
      t->index = (int32_t)i;
      hz_thread_wake(t, HZ_OK);
      break;
    }
  }
}

hz_thread *hz_thread_waiter(hz_wait wait, uint64_t address, const hz_thread *owner) {
  hz_thread *best = NULL;
  for (rt_thread *r = NULL; (r = rt_thread_each(r));) {
    hz_thread *t = object_of(r);
    if (!t || t->wait != wait || (wait == HZ_WAITS_CONDITION ? t->key : t->address) != address) continue;
    if (owner && t->owner != owner) continue;
    if (!best || t->priority < best->priority || (t->priority == best->priority && t->order < best->order)) best = t;
  }
  return best;
}

static bool waits_for_system(const hz_thread *t) {
  if (t->wait == HZ_WAITS_SYSTEM || t->wait == HZ_WAITS_TIME) return true;
  for (uint32_t i = 0; t->wait == HZ_WAITS_OBJECTS && i < t->object_count; i++)
    if (t->objects[i]->by_system) return true;
  return false;
}

bool hz_threads_depend_on_system(void) {
  for (rt_thread *r = NULL; (r = rt_thread_each(r));)
    if (object_of(r) && (!r->waiting || r->deadline != RT_FOREVER || waits_for_system(object_of(r)))) return true;
  return false;
}
