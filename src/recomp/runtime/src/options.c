#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "end.h"

/* A port that is meant to be a program of its own is compiled with 1. */
#ifndef RT_REALTIME_DEFAULT
#define RT_REALTIME_DEFAULT 0
#endif

rt_options rt_opt;

static const char *text(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static uint64_t number(const char *name, uint64_t fallback) {
  const char *value = text(name);
  if (!value) return fallback;
  char *end;
  errno = 0;
  unsigned long long n = strtoull(value, &end, 10);
  if (errno || *end || value[0] < '0' || value[0] > '9')
    rt_fail("%s: expected a decimal number, found \"%s\"", name, value);
  return n;
}

void rt_options_read(void) {
  rt_opt.record_dir = text("RECOMP_RT_RECORD");
  rt_opt.input_path = text("RECOMP_RT_INPUT");
  rt_opt.root = text("RECOMP_RT_ROOT");
  rt_opt.max_ticks = number("RECOMP_RT_MAX_TICKS", 0);
  rt_opt.seed = number("RECOMP_RT_SEED", 0);
  uint64_t realtime = number("RECOMP_RT_REALTIME", RT_REALTIME_DEFAULT);
  if (realtime > 1) rt_fail("RECOMP_RT_REALTIME: expected 0 or 1, found \"%s\"", text("RECOMP_RT_REALTIME"));
  rt_opt.realtime = realtime == 1;
}

bool rt_options_owns(const char *variable) { return strncmp(variable, "RECOMP_RT_", 10) == 0; }
