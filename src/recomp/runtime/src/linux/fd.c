#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../end.h"
#include "file.h"

static struct {
  rt_file *file;
  bool cloexec;
} table[RT_FD_LIMIT];

rt_file *rt_file_new(const rt_file_kind *kind, int flags, int host_fd, char *path) {
  rt_file *f = calloc(1, sizeof *f);
  if (!f) return NULL;
  f->kind = kind;
  f->references = 1;
  f->flags = flags & ~(G_O_CLOEXEC | G_O_CREAT | G_O_EXCL | G_O_TRUNC | G_O_NOCTTY);
  f->host_fd = host_fd;
  f->path = path;
  return f;
}

void rt_file_hold(rt_file *f) { f->references++; }

void rt_file_release(rt_file *f) {
  if (--f->references > 0) return;
  if (f->kind->close) f->kind->close(f);
  if (f->host_fd >= 0) close(f->host_fd);
  free(f->path);
  free(f);
}

rt_file *rt_fd_get(uint64_t fd) { return (uint32_t)fd < RT_FD_LIMIT ? table[(uint32_t)fd].file : NULL; }

int64_t rt_fd_add(rt_file *f, int from, bool cloexec) {
  for (int fd = from; fd < RT_FD_LIMIT; fd++)
    if (!table[fd].file) return rt_fd_put(f, fd, cloexec);
  rt_file_release(f);
  return -EMFILE;
}

int64_t rt_fd_put(rt_file *f, int fd, bool cloexec) {
  if (table[fd].file) rt_file_release(table[fd].file);
  table[fd].file = f;
  table[fd].cloexec = cloexec;
  return fd;
}

int64_t rt_fd_close(uint64_t fd) {
  rt_file *f = rt_fd_get(fd);
  if (!f) return -EBADF;
  table[(uint32_t)fd].file = NULL;
  rt_file_release(f);
  return 0;
}

bool rt_fd_cloexec(uint64_t fd) { return table[(uint32_t)fd].cloexec; }

void rt_fd_set_cloexec(uint64_t fd, bool cloexec) { table[(uint32_t)fd].cloexec = cloexec; }

int rt_fd_next(int fd) {
  while (fd < RT_FD_LIMIT && !table[fd].file) fd++;
  return fd < RT_FD_LIMIT ? fd : -1;
}

int rt_fd_named(const char *path) {
  static const char *const standard[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
  for (int fd = 0; fd < 3; fd++)
    if (strcmp(path, standard[fd]) == 0) return fd;
  int fd, end = 0;
  if (sscanf(path, "/dev/fd/%d%n", &fd, &end) != 1 && sscanf(path, "/proc/self/fd/%d%n", &fd, &end) != 1) return -1;
  return end > 0 && !path[end] && fd >= 0 ? fd : -1;
}

/* The host's flags of a standard stream as the guest numbers them; access mode, O_APPEND and O_NONBLOCK are equal. */
void rt_fd_init(void) {
  for (int fd = 0; fd < 3; fd++) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) {
      open("/dev/null", O_RDWR); /* takes the number, so that no file of the runtime's is written to as stderr */
      continue;
    }
    int copy = rt_host_high(dup(fd));
    rt_file *f = copy < 0 ? NULL : rt_host_file(copy, flags & (G_O_ACCMODE | G_O_APPEND | G_O_NONBLOCK), NULL);
    if (!f) rt_fail("cannot open the guest's standard streams: %s", strerror(errno));
    rt_fd_put(f, fd, false);
  }
}
