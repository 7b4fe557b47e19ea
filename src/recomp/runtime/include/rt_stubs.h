/* Supervisor calls by name (src/stubs.c); emitted code of portable modules includes this beside rt.h. */
#ifndef RT_STUBS_H
#define RT_STUBS_H

#include <stdint.h>

/* Writes `NAME(0x1, 0x2)` with `count` uint64_t arguments to stderr, in one line. */
void rt_stub_log(const char *name, int count, ...);
/* Ends the run as a trap. */
_Noreturn void rt_stub_panic(const char *name);

#endif
