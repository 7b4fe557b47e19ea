/* One call of a service command: what came in, what goes out. */
#ifndef HZ_REQUEST_H
#define HZ_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../kernel/object.h"

#define HZ_MESSAGE_SIZE 0x100u
#define HZ_BUFFERS 16 /* of one kind in one message */
#define HZ_HANDLES 16
#define HZ_OBJECTS 8

typedef struct hz_request hz_request;
typedef struct hz_instance hz_instance;

typedef hz_result hz_handler(hz_instance *self, hz_request *r);

/* One row of a service's table. */
typedef struct hz_command {
  uint32_t id;
  const char *name;
  hz_handler *handle;
} hz_command;

/* A kind of object that commands are sent to. `close`: frees what `state` holds; may be NULL. */
typedef struct hz_interface {
  const char *name;
  const hz_command *commands; /* in ascending order of id */
  uint32_t command_count;
  void (*close)(hz_instance *self);
} hz_interface;

#define HZ_INTERFACE(identifier, text, rows, on_close) \
  const hz_interface identifier = {text, rows, sizeof rows / sizeof *rows, on_close}

/* An object, counted by the sessions and domains that hold it. */
struct hz_instance {
  const hz_interface *interface;
  uint32_t references;
  void *state;
  uint64_t number;
};

hz_instance *hz_instance_new(const hz_interface *interface, void *state, uint64_t number);
hz_instance *hz_instance_keep(hz_instance *instance);
void hz_instance_drop(hz_instance *instance);

/* A buffer in guest memory, of which at least one byte is not there where `size` is 0. */
typedef struct hz_buffer {
  uint64_t addr, size;
} hz_buffer;

struct hz_request {
  uint32_t command;
  const uint8_t *arguments; /* behind the header */
  uint32_t argument_size;
  bool has_pid;
  hz_buffer in[HZ_BUFFERS], out[HZ_BUFFERS];
  uint32_t in_count, out_count;
  uint32_t handles[HZ_HANDLES]; /* copied, then moved ones */
  uint32_t handle_count;
  hz_instance *objects[HZ_OBJECTS];
  uint32_t object_count;

  uint8_t results[HZ_MESSAGE_SIZE];
  uint32_t result_size;
  hz_object *copied[HZ_HANDLES], *moved[HZ_HANDLES];
  uint32_t copied_count, moved_count;
  hz_instance *made[HZ_OBJECTS];
  uint32_t made_count;
};

/* Arguments at byte offsets; 0 where the caller sent fewer. */
uint32_t hz_get32(const hz_request *r, uint32_t offset);
uint64_t hz_get64(const hz_request *r, uint32_t offset);

/* Results, each at the next multiple of its size. */
void hz_put8(hz_request *r, uint8_t value);
void hz_put16(hz_request *r, uint16_t value);
void hz_put32(hz_request *r, uint32_t value);
void hz_put64(hz_request *r, uint64_t value);
void hz_put_bytes(hz_request *r, const void *bytes, uint32_t size);

/* Buffers. The host's view of the n-th one, or NULL where it is absent, smaller than `size` or not accessible. */
const void *hz_in(const hz_request *r, uint32_t n, uint64_t size);
void *hz_out(const hz_request *r, uint32_t n, uint64_t size);
/* As much of the bytes as the n-th one has room for; how many that were. */
uint64_t hz_write_out(const hz_request *r, uint32_t n, const void *bytes, uint64_t size);
/* A name from the n-th one, terminated here whatever the caller sent; false where it is absent or longer. */
bool hz_in_text(const hz_request *r, uint32_t n, char *text, uint64_t room);

/* What the reply carries. The reference to an object is the reply's from then on; hz_give_copy keeps its own. */
void hz_give_object(hz_request *r, hz_instance *instance);
void hz_give_copy(hz_request *r, void *object);
void hz_give_move(hz_request *r, void *object);

/* Handlers for commands without anything of their own. */
hz_handler hz_success;     /* nothing comes back */
hz_handler hz_zero32;      /* a word of zeros */
hz_handler hz_idle_event;  /* a copy of an event that nobody signals */

#endif
