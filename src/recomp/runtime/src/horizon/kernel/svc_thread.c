/* Threads: life, priority, cores. */
#include "../../clock.h"
#include "../layout.h"
#include "../../memory.h"
#include "blocks.h"
#include "svc.h"

#define DEFAULT_CORE (-2)
#define IDEAL_CORE_UNCHANGED (-3)
#define IDEAL_CORE_ANY (-1)

hz_result hz_svc_create_thread(hz_thread *t, uint64_t *x) {
  (void)t;
  const int32_t priority = (int32_t)x[4], wanted = (int32_t)x[5], core = wanted == DEFAULT_CORE ? 0 : wanted;
  if (core < 0 || core >= HZ_CORES) return HZ_INVALID_CORE;
  if (priority < HZ_PRIORITY_HIGHEST || priority > HZ_PRIORITY_LOWEST) return HZ_INVALID_PRIORITY;
  hz_thread *made = hz_thread_new(x[1], x[2], x[3], priority, core);
  if (!made) return HZ_OUT_OF_MEMORY;
  uint32_t handle = 0;
  const hz_result result = hz_handle_new(made, &handle);
  x[1] = handle;
  return result;
}

hz_result hz_svc_start_thread(hz_thread *t, uint64_t *x) {
  (void)t;
  hz_thread *other = hz_handle_get((uint32_t)x[0], &hz_kind_thread);
  return other ? hz_thread_start(other) : HZ_INVALID_HANDLE;
}

hz_result hz_svc_exit_thread(hz_thread *t, uint64_t *x) {
  (void)t, (void)x;
  hz_thread_exit();
}

/* 0, -1 and -2 yield: on this core, to any core, to any thread. */
hz_result hz_svc_sleep_thread(hz_thread *t, uint64_t *x) {
  const int64_t ns = (int64_t)x[0];
  if (ns > 0) {
    hz_thread_wait(t, HZ_WAITS_TIME, hz_deadline(ns));
    return HZ_OK;
  }
  rt_thread_let_time_pass(rt_clock_after(rt_clock_now(), 10000));
  rt_thread_give_way(t->thread);
  return HZ_OK;
}

hz_result hz_svc_get_thread_priority(hz_thread *t, uint64_t *x) {
  (void)t;
  const hz_thread *other = hz_handle_get((uint32_t)x[1], &hz_kind_thread);
  if (!other) return HZ_INVALID_HANDLE;
  x[1] = (uint32_t)other->priority;
  return HZ_OK;
}

hz_result hz_svc_set_thread_priority(hz_thread *t, uint64_t *x) {
  (void)t;
  const int32_t priority = (int32_t)x[1];
  hz_thread *other = hz_handle_get((uint32_t)x[0], &hz_kind_thread);
  if (!other) return HZ_INVALID_HANDLE;
  if (priority < HZ_PRIORITY_HIGHEST || priority > HZ_PRIORITY_LOWEST) return HZ_INVALID_PRIORITY;
  hz_thread_set_priority(other, priority);
  return HZ_OK;
}

hz_result hz_svc_get_thread_core_mask(hz_thread *t, uint64_t *x) {
  (void)t;
  const hz_thread *other = hz_handle_get((uint32_t)x[2], &hz_kind_thread);
  if (!other) return HZ_INVALID_HANDLE;
  x[1] = (uint32_t)other->core;
  x[2] = other->core_mask;
  return HZ_OK;
}

hz_result hz_svc_set_thread_core_mask(hz_thread *t, uint64_t *x) {
  (void)t;
  int32_t core = (int32_t)x[1];
  uint64_t mask = x[2];
  hz_thread *other = hz_handle_get((uint32_t)x[0], &hz_kind_thread);
  if (core == DEFAULT_CORE) core = 0, mask = 1;
  if (mask & ~((UINT64_C(1) << HZ_CORES) - 1)) return HZ_INVALID_CORE;
  if (!mask) return HZ_INVALID_COMBINATION;
  if (core >= HZ_CORES || core < IDEAL_CORE_UNCHANGED) return HZ_INVALID_CORE;
  if (core >= 0 && !(mask >> core & 1)) return HZ_INVALID_COMBINATION;
  if (!other) return HZ_INVALID_HANDLE;
  if (core != IDEAL_CORE_UNCHANGED) other->core = core;
  other->core_mask = mask;
  return HZ_OK;
}

hz_result hz_svc_get_current_processor_number(hz_thread *t, uint64_t *x) {
  x[0] = t->core < 0 ? 0 : (uint32_t)t->core;
  return (hz_result)x[0];
}

hz_result hz_svc_get_thread_id(hz_thread *t, uint64_t *x) {
  (void)t;
  const hz_thread *other = hz_handle_get((uint32_t)x[1], &hz_kind_thread);
  if (!other) return HZ_INVALID_HANDLE;
  x[1] = other->id;
  return HZ_OK;
}
