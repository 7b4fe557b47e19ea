#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "../../end.h"
#include "../../memory.h"

hz_instance *hz_instance_new(const hz_interface *interface, void *state, uint64_t number) {
  hz_instance *instance = malloc(sizeof *instance);
  if (!instance) rt_fail("out of memory for a service object");
  *instance = (hz_instance){interface, 1, state, number};
  return instance;
}

hz_instance *hz_instance_keep(hz_instance *instance) {
  instance->references++;
  return instance;
}

void hz_instance_drop(hz_instance *instance) {
  if (!instance || --instance->references) return;
  if (instance->interface->close) instance->interface->close(instance);
  free(instance);
}

static void get(const hz_request *r, uint32_t offset, void *to, uint32_t size) {
  memset(to, 0, size);
  if (offset <= r->argument_size && size <= r->argument_size - offset) memcpy(to, r->arguments + offset, size);
}

uint32_t hz_get32(const hz_request *r, uint32_t offset) {
  uint32_t value;
  get(r, offset, &value, sizeof value);
  return value;
}

uint64_t hz_get64(const hz_request *r, uint32_t offset) {
  uint64_t value;
  get(r, offset, &value, sizeof value);
  return value;
}

static void put(hz_request *r, const void *bytes, uint32_t size, uint32_t alignment) {
  const uint32_t at = (r->result_size + alignment - 1) / alignment * alignment;
  if (at + size > sizeof r->results) rt_fail("a reply is longer than a message [this is a bug]");
  memcpy(r->results + at, bytes, size);
  r->result_size = at + size;
}

void hz_put8(hz_request *r, uint8_t value) { put(r, &value, 1, 1); }

void hz_put16(hz_request *r, uint16_t value) { put(r, &value, 2, 2); }

void hz_put32(hz_request *r, uint32_t value) { put(r, &value, 4, 4); }

void hz_put64(hz_request *r, uint64_t value) { put(r, &value, 8, 8); }

void hz_put_bytes(hz_request *r, const void *bytes, uint32_t size) { put(r, bytes, size, 1); }

const void *hz_in(const hz_request *r, uint32_t n, uint64_t size) {
  if (n >= r->in_count || r->in[n].size < size || !size) return NULL;
  return rt_memory_at(r->in[n].addr, size, RT_READ);
}

void *hz_out(const hz_request *r, uint32_t n, uint64_t size) {
  if (n >= r->out_count || r->out[n].size < size || !size) return NULL;
  return rt_memory_at(r->out[n].addr, size, RT_WRITE);
}

uint64_t hz_write_out(const hz_request *r, uint32_t n, const void *bytes, uint64_t size) {
  if (n >= r->out_count) return 0;
  if (size > r->out[n].size) size = r->out[n].size;
  return rt_memory_put(r->out[n].addr, bytes, size) ? size : 0;
}

bool hz_in_text(const hz_request *r, uint32_t n, char *text, uint64_t room) {
  if (n >= r->in_count) return false;
  const uint64_t size = r->in[n].size < room ? r->in[n].size : room;
  if (!rt_memory_get(text, r->in[n].addr, size)) return false;
  if (memchr(text, 0, size)) return true;
  if (size == room) return false;
  text[size] = 0;
  return true;
}

void hz_give_object(hz_request *r, hz_instance *instance) {
  if (r->made_count == HZ_OBJECTS) rt_fail("a reply with too many objects [this is a bug]");
  r->made[r->made_count++] = instance;
}

void hz_give_copy(hz_request *r, void *object) {
  if (r->copied_count == HZ_HANDLES) rt_fail("a reply with too many handles [this is a bug]");
  r->copied[r->copied_count++] = hz_object_keep(object);
}

void hz_give_move(hz_request *r, void *object) {
  if (r->moved_count == HZ_HANDLES) rt_fail("a reply with too many handles [this is a bug]");
  r->moved[r->moved_count++] = object;
}

hz_result hz_success(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return HZ_OK;
}

hz_result hz_zero32(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, 0);
  return HZ_OK;
}

hz_result hz_idle_event(hz_instance *self, hz_request *r) {
  (void)self;
  hz_event *event = hz_event_new();
  event->object.by_system = false;
  hz_give_copy(r, event);
  hz_object_drop(event);
  return HZ_OK;
}
