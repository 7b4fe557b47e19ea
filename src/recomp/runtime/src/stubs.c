/* Supervisor calls by name, of modules in the portable form: what title.toml's [stubs] says about each. */
#include "rt_stubs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "end.h"

void rt_stub_log(const char *name, int count, ...) {
  char line[512];
  int size = snprintf(line, sizeof line, "%s(", name);
  va_list arguments;
  va_start(arguments, count);
  for (int i = 0; i < count && size < (int)sizeof line; i++)
    size += snprintf(line + size, sizeof line - (size_t)size, "%s0x%" PRIx64, i ? ", " : "", va_arg(arguments, uint64_t));
  va_end(arguments);
  fprintf(stderr, "%s)\n", line);
}

void rt_stub_panic(const char *name) {
  rt_end(RT_END_TRAP, RT_CODE_RUNTIME, (rt_end_place){0, 0}, "%s: its stub is \"panic\"", name);
}
