/* Console guests for the runtime's tests: a module as the emitter would write it, with functions made by hand.
 *
 * A test writes `GUEST(run) { ... }` over an `rt_cpu *c`, further functions as entries at TEXT + 4 n, and GUEST_MODULE. */
#ifndef GUEST_H
#define GUEST_H

#include <stdio.h>
#include <stdlib.h>

#include "rt.h"

#define TEXT 0x10000000u
#define DATA 0x10010000u
#define DATA_SIZE 0x100000u
#define STACKS (DATA + 0x80000)

#define KERNEL(description) (1u | (description) << 9)

/* The head of a function that the runtime calls as an emitted one. */
#define GUEST(name)                                                             \
  static uint64_t name##_on(rt_cpu *c);                                         \
  static uint64_t name(rt_near *near) { return name##_on(rt_cpu_of(near)); }    \
  static uint64_t name##_on(rt_cpu *c)

static inline void *at(rt_cpu *c, uint64_t addr) { return c->memory + (uint32_t)addr; }

/* One supervisor call; inputs are in c->x already. */
static inline uint32_t svc(rt_cpu *c, uint32_t number) {
  rt_svc(c, TEXT, number);
  return (uint32_t)c->x[0];
}

#define X(c, ...)                                                        \
  do {                                                                   \
    const uint64_t values_[] = {__VA_ARGS__};                            \
    memcpy((c)->x, values_, sizeof values_);                             \
  } while (0)

#define EXPECT(c, condition)                                                           \
  do {                                                                                 \
    if (!(condition)) {                                                                \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE_NAME__, __LINE__, #condition);     \
      exit(1);                                                                         \
    }                                                                                  \
  } while (0)

/* A thread that starts at an entry with an argument; its handle. */
static inline uint32_t start_thread(rt_cpu *c, uint32_t entry, uint64_t argument, int priority) {
  X(c, 0, entry, argument, STACKS + 0x1000 * (argument + 1), (uint64_t)priority, 0);
  EXPECT(c, svc(c, 0x08) == 0);
  const uint32_t handle = (uint32_t)c->x[1];
  X(c, handle);
  EXPECT(c, svc(c, 0x09) == 0);
  return handle;
}

/* A request without buffers: `words` of arguments behind the command's header. The reply is in the thread block. */
static inline uint32_t request(rt_cpu *c, uint32_t session, uint32_t command, uint64_t argument) {
  uint32_t *message = at(c, c->tpidrro_el0);
  memset(message, 0, 0x100);
  message[0] = 4;
  message[1] = 4 + 4 + 4;
  message[4] = 0x49434653; /* SFCI */
  message[6] = command;
  memcpy(message + 8, &argument, 8);
  X(c, session);
  const uint32_t result = svc(c, 0x21);
  return result ? result : ((uint32_t *)at(c, c->tpidrro_el0))[(message[1] >> 31 ? 8 : 4) + 2];
}

/* The session that the reply to sm:'s GetService carries. */
static inline uint32_t get_service(rt_cpu *c, uint32_t sm, const char *name) {
  uint64_t packed = 0;
  memcpy(&packed, name, strlen(name));
  return request(c, sm, 1, packed) ? 0 : ((uint32_t *)at(c, c->tpidrro_el0))[3];
}

static inline uint32_t connect_sm(rt_cpu *c) {
  strcpy(at(c, DATA), "sm:");
  X(c, 0, DATA);
  EXPECT(c, svc(c, 0x1f) == 0);
  const uint32_t sm = (uint32_t)c->x[1];
  EXPECT(c, request(c, sm, 1, 0) == 0x415);
  EXPECT(c, request(c, sm, 0, 0) == 0);
  return sm;
}

#ifndef STUBS
#define STUBS {"no such stub", "noop"}
#endif

#define GUEST_MODULE(...)                                                                                          \
  static const rt_entry entries[] = {{TEXT, TEXT, run}, __VA_ARGS__};                                              \
  static const rt_segment segments[] = {{"text", TEXT, 0x1000, 0, 8, 1, 0, 1}, {"data", DATA, DATA_SIZE, 0, 0, 1, 1, 0}}; \
  static const uint8_t blob[] = {1, 2, 3, 4, 5, 6, 7, 8};                                                          \
  static const rt_stub stubs[] = {STUBS};                                                                          \
  const rt_module rt_guest = {.name = "guest.nro",                                                                 \
                              .abi = "horizon",                                                                    \
                              .entry = TEXT,                                                                       \
                              .segments = segments,                                                                \
                              .segment_count = 2,                                                                  \
                              .entries = entries,                                                                  \
                              .entry_count = sizeof entries / sizeof *entries,                                     \
                              .blob = blob,                                                                        \
                              .blob_size = sizeof blob,                                                            \
                              .stubs = stubs,                                                                      \
                              .stub_count = sizeof stubs / sizeof *stubs};

#endif
