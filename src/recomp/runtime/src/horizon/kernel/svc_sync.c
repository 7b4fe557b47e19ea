/* Events, and waiting for objects. */
#include "../../memory.h"
#include "svc.h"

typedef struct writable_event {
  hz_object object;
  hz_event *event;
} writable_event;

static void destroy(hz_object *object) { hz_object_drop(((writable_event *)object)->event); }

const hz_kind hz_kind_writable_event = {"writable event", NULL, destroy};

hz_result hz_svc_create_event(hz_thread *t, uint64_t *x) {
  (void)t;
  uint32_t write = 0, read = 0;
  hz_event *event = hz_event_new();
  event->object.by_system = false;
  writable_event *end = hz_object_new(&hz_kind_writable_event, sizeof *end);
  end->event = hz_object_keep(event);
  hz_result result = hz_handle_new(end, &write);
  if (result) {
    hz_object_drop(event);
    return result;
  }
  result = hz_handle_new(event, &read);
  if (result) hz_handle_close(write);
  x[1] = write;
  x[2] = read;
  return result;
}

hz_result hz_svc_signal_event(hz_thread *t, uint64_t *x) {
  (void)t;
  const writable_event *end = hz_handle_get((uint32_t)x[0], &hz_kind_writable_event);
  if (!end) return HZ_INVALID_HANDLE;
  hz_event_signal(end->event);
  return HZ_OK;
}

hz_result hz_svc_clear_event(hz_thread *t, uint64_t *x) {
  (void)t;
  const writable_event *end = hz_handle_get((uint32_t)x[0], &hz_kind_writable_event);
  hz_event *event = end ? end->event : hz_handle_get((uint32_t)x[0], &hz_kind_event);
  if (!event) return HZ_INVALID_HANDLE;
  hz_event_clear(event);
  return HZ_OK;
}

/* libnx waits once more where this says that there was nothing to reset. */
hz_result hz_svc_reset_signal(hz_thread *t, uint64_t *x) {
  (void)t;
  if (hz_handle_get((uint32_t)x[0], &hz_kind_process)) return HZ_INVALID_STATE;
  hz_event *event = hz_handle_get((uint32_t)x[0], &hz_kind_event);
  if (!event) return HZ_INVALID_HANDLE;
  if (!event->signalled) return HZ_INVALID_STATE;
  hz_event_clear(event);
  return HZ_OK;
}

hz_result hz_svc_close_handle(hz_thread *t, uint64_t *x) {
  (void)t;
  return hz_handle_close((uint32_t)x[0]);
}

static hz_result gather(hz_thread *t, uint64_t addr, uint32_t count) {
  uint32_t handles[HZ_WAIT_LIMIT];
  if (!rt_memory_get(handles, addr, count * sizeof *handles)) return HZ_INVALID_POINTER;
  for (uint32_t i = 0; i < count; i++) {
    t->objects[i] = hz_handle_get(handles[i], NULL);
    if (!t->objects[i] || !t->objects[i]->kind->is_signalled) return HZ_INVALID_HANDLE;
  }
  return HZ_OK;
}

static hz_result wait_for(hz_thread *t, uint32_t count, int64_t timeout_ns) {
  for (uint32_t i = 0; i < count; i++) {
    if (!t->objects[i]->kind->is_signalled(t->objects[i])) continue;
    t->index = (int32_t)i;
    return HZ_OK;
  }
  if (timeout_ns == 0) return HZ_TIMED_OUT;
  if (t->cancelled) {
    t->cancelled = false;
    return HZ_CANCELLED;
  }
  for (uint32_t i = 0; i < count; i++) hz_object_keep(t->objects[i]);
  t->object_count = count;
  const hz_result result = hz_thread_wait(t, HZ_WAITS_OBJECTS, hz_deadline(timeout_ns));
  for (uint32_t i = 0; i < count; i++) hz_object_drop(t->objects[i]);
  return result;
}

hz_result hz_svc_wait_synchronization(hz_thread *t, uint64_t *x) {
  const int32_t count = (int32_t)x[2];
  if (count < 0 || count > HZ_WAIT_LIMIT) return HZ_OUT_OF_RANGE;
  t->index = -1;
  hz_result result = gather(t, x[1], (uint32_t)count);
  if (result) return result;
  result = wait_for(t, (uint32_t)count, (int64_t)x[3]);
  x[1] = (uint32_t)t->index;
  return result;
}

hz_result hz_svc_cancel_synchronization(hz_thread *t, uint64_t *x) {
  (void)t;
  hz_thread *other = hz_handle_get((uint32_t)x[0], &hz_kind_thread);
  if (!other) return HZ_INVALID_HANDLE;
  if (other->wait == HZ_WAITS_OBJECTS) hz_thread_wake(other, HZ_CANCELLED);
  else other->cancelled = true;
  return HZ_OK;
}
