/* Guests for the runtime's tests: a module as the emitter would write it, with one function made by hand.
 *
 * A test writes `GUEST(run) { ... }` over an `rt_cpu *c`, and GUEST_MODULE; guest memory is reached through at(), supervisor
 * calls through sys(). Guest address DATA is the start of 1 MiB of zeros that a guest may use. */
#ifndef GUEST_H
#define GUEST_H

#include <stdarg.h>
#include <stdio.h>

#include "rt.h"

#define TEXT 0x10000u
#define DATA 0x20000u
#define DATA_SIZE 0x100000u

/* The head of a function that the runtime calls as an emitted one. */
#define GUEST(name)                                                             \
  static uint64_t name##_on(rt_cpu *c);                                         \
  static uint64_t name(rt_near *near) { return name##_on(rt_cpu_of(near)); }    \
  static uint64_t name##_on(rt_cpu *c)

static inline void *at(rt_cpu *c, uint64_t addr) { return c->memory + (uint32_t)addr; }

/* One supervisor call; every argument is a uint64_t. */
static inline int64_t call6(rt_cpu *c, uint64_t n, uint64_t a, uint64_t b, uint64_t d, uint64_t e, uint64_t f,
                            uint64_t g) {
  c->x[0] = a, c->x[1] = b, c->x[2] = d, c->x[3] = e, c->x[4] = f, c->x[5] = g, c->x[8] = n;
  rt_svc(c, TEXT, 0);
  return (int64_t)c->x[0];
}
#define SIX(c, n, a, b, d, e, f, g, ...) \
  call6(c, (uint64_t)(n), (uint64_t)(a), (uint64_t)(b), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f), (uint64_t)(g))
#define sys(c, ...) SIX(c, __VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* Copies a string to guest memory; its guest address. */
static inline uint64_t text_at(rt_cpu *c, uint64_t addr, const char *text) {
  strcpy(at(c, addr), text);
  return addr;
}

/* printf to the guest's standard output. Uses guest memory at DATA + 0xf0000. */
static inline void say(rt_cpu *c, const char *format, ...) {
  uint64_t addr = DATA + 0xf0000;
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(at(c, addr), 4096, format, arguments);
  va_end(arguments);
  sys(c, 64, 1, addr, n);
}

#define EXPECT(c, condition)                                              \
  do {                                                                    \
    if (!(condition)) {                                                   \
      say(c, "%s:%d: not so: %s\n", __FILE_NAME__, __LINE__, #condition); \
      sys(c, 94, 1);                                                      \
    }                                                                     \
  } while (0)

/* More functions of a guest can be given as {pc, pc, function} entries, sorted, above TEXT. */
#define GUEST_MODULE(...)                                                                              \
  static const rt_entry entries[] = {{TEXT, TEXT, run}, __VA_ARGS__};                                  \
  static const rt_segment segments[] = {{"text", TEXT, 0x1000, 0, 8, 1, 0, 1}, {"data", DATA, DATA_SIZE, 0, 0, 1, 1, 0}}; \
  static const uint8_t blob[] = {1, 2, 3, 4, 5, 6, 7, 8};                                              \
  const rt_module rt_guest = {.name = "guest",                                                         \
                              .abi = "linux",                                                          \
                              .entry = TEXT,                                                           \
                              .phdr = 0x10040,                                                         \
                              .phent = 56,                                                             \
                              .phnum = 2,                                                              \
                              .segments = segments,                                                    \
                              .segment_count = 2,                                                      \
                              .entries = entries,                                                      \
                              .entry_count = sizeof entries / sizeof *entries,                         \
                              .blob = blob,                                                            \
                              .blob_size = sizeof blob}

#endif
