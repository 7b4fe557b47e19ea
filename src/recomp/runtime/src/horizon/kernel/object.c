#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "../../end.h"
#include "kthread.h"

#define HANDLES 1024u
#define INDEX_BITS 15

typedef struct entry {
  hz_object *object;
  uint32_t handle;
} entry;

static entry table[HANDLES];
static uint32_t linear_id;

void *hz_object_new(const hz_kind *kind, uint64_t size) {
  hz_object *object = calloc(1, size);
  if (!object) rt_fail("out of memory for a kernel object");
  object->kind = kind;
  object->references = 1;
  return object;
}

void *hz_object_keep(void *object) {
  ((hz_object *)object)->references++;
  return object;
}

void hz_object_drop(void *object) {
  hz_object *o = object;
  if (!o || --o->references > 0) return;
  if (o->kind->destroy) o->kind->destroy(o);
  free(o);
}

hz_result hz_handle_new(void *object, uint32_t *handle) {
  for (uint32_t i = 0; i < HANDLES; i++) {
    if (table[i].object) continue;
    linear_id = linear_id % 0x1fff + 1; /* never 0: neither is a handle */
    *handle = linear_id << INDEX_BITS | i;
    table[i] = (entry){object, *handle};
    return HZ_OK;
  }
  hz_object_drop(object);
  return HZ_OUT_OF_HANDLES;
}

static hz_object process = {&hz_kind_process, 1, false};

static entry *find(uint32_t handle) {
  entry *e = &table[(handle & ((1u << INDEX_BITS) - 1)) % HANDLES];
  return e->object && e->handle == handle ? e : NULL;
}

void *hz_handle_get(uint32_t handle, const hz_kind *kind) {
  hz_object *object = NULL;
  if (handle == HZ_CURRENT_THREAD) object = &hz_thread_current()->object;
  else if (handle == HZ_CURRENT_PROCESS) object = &process;
  else if (find(handle)) object = find(handle)->object;
  return object && (!kind || object->kind == kind) ? object : NULL;
}

hz_result hz_handle_close(uint32_t handle) {
  entry *e = find(handle);
  if (!e) return HZ_INVALID_HANDLE;
  hz_object *object = e->object;
  e->object = NULL;
  hz_object_drop(object);
  return HZ_OK;
}

static bool event_is_signalled(const hz_object *object) { return ((const hz_event *)object)->signalled; }

static bool never(const hz_object *object) {
  (void)object;
  return false;
}

const hz_kind hz_kind_event = {"event", event_is_signalled, NULL};
const hz_kind hz_kind_process = {"process", never, NULL};

hz_event *hz_event_new(void) {
  hz_event *event = hz_object_new(&hz_kind_event, sizeof *event);
  event->object.by_system = true;
  return event;
}

void hz_event_signal(hz_event *event) {
  event->signalled = true;
  hz_thread_notice(&event->object);
}

void hz_event_clear(hz_event *event) { event->signalled = false; }
