#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "end.h"
#include "rt.h"

rt_options rt_opt;

static const char *text(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

/* A path that stays right when the guest changes its folder, also behind execve. */
static const char *absolute(const char *name) {
  const char *path = text(name);
  if (!path || path[0] == '/') return path;
  char *folder = getcwd(NULL, 0), *whole;
  if (!folder || asprintf(&whole, "%s/%s", folder, path) < 0) rt_fail("%s: %s: %s", name, path, strerror(errno));
  free(folder);
  setenv(name, whole, 1);
  return whole;
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
  rt_opt.record_dir = absolute("RECOMP_RT_RECORD");
  rt_opt.input_path = absolute("RECOMP_RT_INPUT");
  rt_opt.root = absolute("RECOMP_RT_ROOT");
  rt_opt.romfs = absolute("RECOMP_RT_ROMFS");
  rt_opt.trace = number("RECOMP_RT_TRACE", 0) != 0;
  rt_opt.misses_path = absolute("RECOMP_RT_MISSES");
  rt_opt.live = text("RECOMP_RT_LIVE") != NULL;
  uint64_t live_fd = number("RECOMP_RT_LIVE", 0);
  if (live_fd > 1023) rt_fail("RECOMP_RT_LIVE: expected a descriptor, found \"%s\"", text("RECOMP_RT_LIVE"));
  rt_opt.live_fd = (int)live_fd;
  rt_opt.max_ticks = number("RECOMP_RT_MAX_TICKS", 0);
  rt_opt.seed = number("RECOMP_RT_SEED", 0);
  uint64_t realtime = number("RECOMP_RT_REALTIME", rt_guest.realtime);
  if (realtime > 1) rt_fail("RECOMP_RT_REALTIME: expected 0 or 1, found \"%s\"", text("RECOMP_RT_REALTIME"));
  rt_opt.realtime = realtime == 1;
}

bool rt_options_owns(const char *variable) { return strncmp(variable, "RECOMP_RT_", 10) == 0; }
