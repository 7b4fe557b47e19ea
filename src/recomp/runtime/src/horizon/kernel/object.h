/* Kernel objects, counted by reference, and the guest's handles to them. */
#ifndef HZ_OBJECT_H
#define HZ_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "../result.h"

typedef struct hz_object hz_object;

/* What an object is. `is_signalled`: NULL = it cannot be waited for. `by_system`: the system itself may signal it, so
 * a thread that waits for it is not lost. */
typedef struct hz_kind {
  const char *name;
  bool (*is_signalled)(const hz_object *object);
  void (*destroy)(hz_object *object);
} hz_kind;

struct hz_object {
  const hz_kind *kind;
  uint32_t references;
  bool by_system;
};

/* An object with one reference; `size` bytes, zeroed, of which hz_object are the first. */
void *hz_object_new(const hz_kind *kind, uint64_t size);
void *hz_object_keep(void *object);
void hz_object_drop(void *object);

/* Handles. Bit 30 of none is ever set: mutex words use it. */
#define HZ_CURRENT_THREAD 0xffff8000u
#define HZ_CURRENT_PROCESS 0xffff8001u

/* A handle that takes over the caller's reference; HZ_OUT_OF_HANDLES drops it. */
hz_result hz_handle_new(void *object, uint32_t *handle);

/* The object, or NULL where the handle is not one or (kind != NULL) of another kind. Pseudo handles work. The reference
 * stays the table's. */
void *hz_handle_get(uint32_t handle, const hz_kind *kind);
hz_result hz_handle_close(uint32_t handle);

/* Events: what is waited for is the readable end. */
typedef struct hz_event {
  hz_object object;
  bool signalled;
} hz_event;

extern const hz_kind hz_kind_event, hz_kind_writable_event, hz_kind_process;

/* An event of the system's. */
hz_event *hz_event_new(void);
void hz_event_signal(hz_event *event);
void hz_event_clear(hz_event *event);

#endif
