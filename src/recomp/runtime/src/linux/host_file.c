/* Files of the host behind guest descriptors. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../clock.h"
#include "../memory.h"
#include "file.h"
#include "folder.h"
#include "signals.h"
#include "svc.h"
#include "terminal.h"

/* Where runtime descriptors start; the guest sees its own numbers. */
#define FIRST_HOST_FD 64

int rt_host_high(int fd) {
  if (fd < 0 || fd >= FIRST_HOST_FD) return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_HOST_FD);
  int error = errno;
  close(fd);
  errno = error;
  return moved;
}

rt_file *rt_host_file(int host_fd, int flags, char *path) {
  rt_file *f = rt_file_new(&rt_host_kind, flags, host_fd, path);
  if (!f) {
    free(path);
    close(host_fd);
  }
  return f;
}

/* Whether reading or writing may have to wait. */
static bool is_slow(int fd) {
  struct stat s;
  return fstat(fd, &s) == 0 && (S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode) || S_ISCHR(s.st_mode));
}

int64_t rt_file_wait(rt_thread *t, rt_file *f, short events) {
  if (f->flags & G_O_NONBLOCK) return 0;
  struct pollfd fd = {f->host_fd, events, 0};
  if (poll(&fd, 1, 0) > 0) return 0;
  return rt_thread_wait(t, RT_FOREVER, &fd, 1) == RT_INTERRUPTED ? -RT_RESTART : 0;
}

static int64_t host_read(rt_thread *t, rt_file *f, void *to, uint64_t size) {
  int64_t problem = is_slow(f->host_fd) ? rt_file_wait(t, f, POLLIN) : 0;
  return problem ? problem : rt_host_result(read(f->host_fd, to, size));
}

/* The port itself ignores SIGPIPE; the guest gets its own. */
static int64_t written(rt_thread *t, ssize_t result) {
  if (result < 0 && errno == EPIPE) {
    rt_signals_send(t, G_SIGPIPE, 0, 0, 0);
    return -EPIPE;
  }
  return rt_host_result(result);
}

static int64_t write_when_ready(rt_thread *t, rt_file *f, const void *from, uint64_t size) {
  int64_t problem = is_slow(f->host_fd) ? rt_file_wait(t, f, POLLOUT) : 0;
  return problem ? problem : written(t, write(f->host_fd, from, size));
}

/* What takes a ready pipe's bytes may be another thread of the guest, which has to get its turn: so no more at a time
 * than a ready pipe has room for. */
static bool in_steps(const rt_file *f) {
  return rt_thread_count() > 1 && !(f->flags & G_O_NONBLOCK) && is_slow(f->host_fd);
}

static int64_t host_write(rt_thread *t, rt_file *f, const void *from, uint64_t size) {
  if (size <= PIPE_BUF || !in_steps(f)) return write_when_ready(t, f, from, size);
  uint64_t done = 0;
  while (done < size) {
    uint64_t step = size - done < PIPE_BUF ? size - done : PIPE_BUF;
    int64_t n = write_when_ready(t, f, (const uint8_t *)from + done, step);
    if (n < 0) return done ? (int64_t)done : n;
    done += (uint64_t)n;
  }
  return (int64_t)done;
}

static int64_t host_seek(rt_file *f, int64_t offset, int whence) {
  return f->state ? rt_folder_seek(f, offset, whence) : rt_host_result(lseek(f->host_fd, offset, whence));
}

static int64_t host_map(rt_file *f, uint32_t addr, uint64_t size, int access, bool shared, uint64_t offset) {
  return -rt_memory_map_fd(addr, size, access, shared, f->host_fd, (int64_t)offset);
}

static short host_poll(rt_file *f, short events) {
  struct pollfd fd = {f->host_fd, events, 0};
  return poll(&fd, 1, 0) > 0 ? fd.revents : 0;
}

const rt_file_kind rt_host_kind = {
    .name = "host",
    .is_host = true,
    .read = host_read,
    .write = host_write,
    .seek = host_seek,
    .ioctl = rt_host_ioctl,
    .map = host_map,
    .poll = host_poll,
    .close = rt_folder_close,
};

int64_t rt_file_readv(rt_thread *t, rt_file *f, const struct iovec *pieces, unsigned count) {
  int64_t total = 0;
  for (unsigned i = 0; i < count; i++) {
    if (!pieces[i].iov_len) continue;
    if (total && f->kind->is_host && is_slow(f->host_fd) && !host_poll(f, POLLIN)) break;
    int64_t n = f->kind->read(t, f, pieces[i].iov_base, pieces[i].iov_len);
    if (n < 0) return total ? total : n;
    total += n;
    if ((uint64_t)n < pieces[i].iov_len) break;
  }
  return total;
}

/* A host file gets all pieces in one go: what a program writes at once stays together in a pipe. */
static int64_t host_writev(rt_thread *t, rt_file *f, const struct iovec *pieces, unsigned count) {
  int64_t problem = is_slow(f->host_fd) ? rt_file_wait(t, f, POLLOUT) : 0;
  return problem ? problem : written(t, writev(f->host_fd, pieces, (int)count));
}

int64_t rt_file_writev(rt_thread *t, rt_file *f, const struct iovec *pieces, unsigned count) {
  if (f->kind->is_host && !in_steps(f)) return host_writev(t, f, pieces, count);
  int64_t total = 0;
  for (unsigned i = 0; i < count; i++) {
    if (!pieces[i].iov_len) continue;
    int64_t n = f->kind->write(t, f, pieces[i].iov_base, pieces[i].iov_len);
    if (n < 0) return total ? total : n;
    total += n;
    if ((uint64_t)n < pieces[i].iov_len) break;
  }
  return total;
}
