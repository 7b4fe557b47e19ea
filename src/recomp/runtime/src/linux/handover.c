#define _GNU_SOURCE
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../clock.h"
#include "../end.h"
#include "children.h"
#include "file.h"
#include "path.h"
#include "process.h"
#include "signals.h"

#define VERSION 1

/* The state is text: one line for the process, its working directory, and a line for each open descriptor:
 * number, host descriptor or -1, flags, position, path. */

static void write_file(FILE *out, int fd) {
  rt_file *f = rt_fd_get((uint64_t)fd);
  if (rt_fd_cloexec((uint64_t)fd) || (f->host_fd < 0 && !f->path)) return;
  if (f->host_fd >= 0) fcntl(f->host_fd, F_SETFD, 0);
  fprintf(out, "%d %d %d %" PRIu64 " %s\n", fd, f->host_fd, f->flags, f->position, f->path ? f->path : "");
}

int64_t rt_handover_write(const rt_thread *t) {
  int fd = rt_host_high(memfd_create("state", 0)), shared_fd, place;
  FILE *out = fd < 0 ? NULL : fdopen(dup(fd), "w");
  if (!out) return -errno;
  rt_children_hand_over(&shared_fd, &place);
  fcntl(shared_fd, F_SETFD, 0);
  fprintf(out, "%d %d %d %d %d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n%s\n", VERSION, rt_process_id(), rt_process_parent(),
          shared_fd, place, rt_clock_now(), t->blocked, rt_signals_ignored(), rt_path_cwd() ? rt_path_cwd() : "/");
  for (int n = -1; (n = rt_fd_next(n + 1)) >= 0;) write_file(out, n);
  if (fclose(out)) return -errno;
  fcntl(fd, F_SETFD, 0);
  lseek(fd, 0, SEEK_SET);
  return fd;
}

static rt_file *find_open(int host_fd) {
  for (int n = -1; (n = rt_fd_next(n + 1)) >= 0;)
    if (rt_fd_get((uint64_t)n)->host_fd == host_fd) return rt_fd_get((uint64_t)n);
  return NULL;
}

/* Descriptors that shared a description (dup) share it again. */
static rt_file *open_again(int host_fd, int flags, const char *path) {
  if (host_fd < 0) {
    int error;
    return rt_virtual_open(path, flags, &error);
  }
  rt_file *same = find_open(host_fd);
  if (same) {
    rt_file_hold(same);
    return same;
  }
  fcntl(host_fd, F_SETFD, FD_CLOEXEC);
  return rt_host_file(host_fd, flags, *path ? strdup(path) : NULL);
}

static bool read_file(char *line) {
  int n, host_fd, flags, end = 0;
  uint64_t position;
  if (sscanf(line, "%d %d %d %" SCNu64 "%n", &n, &host_fd, &flags, &position, &end) != 4 || n < 0 || n >= RT_FD_LIMIT)
    return false;
  line[strcspn(line, "\n")] = 0;
  rt_file *f = line[end] ? open_again(host_fd, flags, line + end + 1) : NULL;
  if (!f) return false;
  if (host_fd < 0) f->position = position;
  rt_fd_put(f, n, false);
  return true;
}

static rt_handover read_state(FILE *in) {
  rt_handover h = {0};
  char line[RT_PATH_MAX + 128];
  int version = 0;
  bool ok = fgets(line, sizeof line, in) &&
            sscanf(line, "%d %d %d %d %d %" SCNu64 " %" SCNu64 " %" SCNu64, &version, &h.id, &h.parent, &h.shared_fd,
                   &h.place, &h.now, &h.blocked, &h.ignored) == 8 &&
            version == VERSION && fgets(line, sizeof line, in);
  if (ok) {
    line[strcspn(line, "\n")] = 0;
    rt_path_return_to(line);
    fcntl(h.shared_fd, F_SETFD, FD_CLOEXEC);
  }
  while (ok && fgets(line, sizeof line, in)) ok = read_file(line);
  if (!ok) rt_fail("RECOMP_RT_STATE: not a state of this runtime; it is set by the runtime itself");
  return h;
}

rt_handover rt_handover_read(void) {
  const char *value = getenv("RECOMP_RT_STATE");
  if (!value) {
    rt_fd_init();
    return (rt_handover){0};
  }
  FILE *in = fdopen(atoi(value), "r");
  if (!in) rt_fail("RECOMP_RT_STATE: not a state of this runtime; it is set by the runtime itself");
  rt_handover h = read_state(in);
  fclose(in);
  return h;
}
