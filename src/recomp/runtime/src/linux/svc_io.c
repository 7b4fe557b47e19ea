/* Reading, writing and what else is done with an open descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../memory.h"
#include "file.h"
#include "svc.h"

#define MOST_PIECES 1024 /* UIO_MAXIOV */
#define MOST_BYTES UINT64_C(0x7ffff000)

static uint64_t limit(uint64_t size) { return size < MOST_BYTES ? size : MOST_BYTES; }

static bool may_read(const rt_file *f) { return (f->flags & G_O_ACCMODE) != G_O_WRONLY && !(f->flags & G_O_PATH); }

static bool may_write(const rt_file *f) { return (f->flags & G_O_ACCMODE) != 0 && !(f->flags & G_O_PATH); }

int64_t rt_svc_read(rt_thread *t, const uint64_t *a) {
  rt_file *f = rt_fd_get(a[0]);
  uint64_t size = limit(a[2]);
  if (!f || !may_read(f)) return -EBADF;
  void *to = rt_memory_at(a[1], size, RT_WRITE);
  if (!to) return -EFAULT;
  return f->kind->read ? f->kind->read(t, f, to, size) : -EINVAL;
}

int64_t rt_svc_write(rt_thread *t, const uint64_t *a) {
  rt_file *f = rt_fd_get(a[0]);
  uint64_t size = limit(a[2]);
  if (!f || !may_write(f)) return -EBADF;
  const void *from = rt_memory_at(a[1], size, RT_READ);
  if (!from) return -EFAULT;
  return f->kind->write ? f->kind->write(t, f, from, size) : -EINVAL;
}

/* The guest's struct iovec[] as host pieces; their number or a negated errno. */
static int64_t get_pieces(struct iovec *pieces, uint64_t addr, uint64_t count, int access) {
  if (count > MOST_PIECES) return -EINVAL;
  uint64_t total = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t piece[2];
    if (!rt_memory_get(piece, addr + i * sizeof piece, sizeof piece)) return -EFAULT;
    if (piece[1] > MOST_BYTES - total) piece[1] = MOST_BYTES - total;
    total += piece[1];
    pieces[i].iov_len = piece[1];
    pieces[i].iov_base = rt_memory_at(piece[0], piece[1], access);
    if (!pieces[i].iov_base && piece[1]) return -EFAULT;
  }
  return (int64_t)count;
}

int64_t rt_svc_readv(rt_thread *t, const uint64_t *a) {
  struct iovec pieces[MOST_PIECES];
  rt_file *f = rt_fd_get(a[0]);
  if (!f || !may_read(f)) return -EBADF;
  int64_t count = get_pieces(pieces, a[1], a[2], RT_WRITE);
  if (count < 0) return count;
  return f->kind->read ? rt_file_readv(t, f, pieces, (unsigned)count) : -EINVAL;
}

int64_t rt_svc_writev(rt_thread *t, const uint64_t *a) {
  struct iovec pieces[MOST_PIECES];
  rt_file *f = rt_fd_get(a[0]);
  if (!f || !may_write(f)) return -EBADF;
  int64_t count = get_pieces(pieces, a[1], a[2], RT_READ);
  if (count < 0) return count;
  return f->kind->write ? rt_file_writev(t, f, pieces, (unsigned)count) : -EINVAL;
}

/* At an offset: the host does it for its files; a virtual file goes there and back. */
static int64_t transfer_at(rt_thread *t, rt_file *f, struct iovec *pieces, int64_t count, int64_t offset, bool write) {
  if (count < 0) return count;
  if (offset < 0) return -EINVAL;
  if (f->kind->is_host)
    return rt_host_result(write ? pwritev(f->host_fd, pieces, (int)count, offset)
                                : preadv(f->host_fd, pieces, (int)count, offset));
  if (!f->kind->seek || !(write ? (void *)f->kind->write : (void *)f->kind->read)) return -ESPIPE;
  uint64_t before = f->position;
  f->position = (uint64_t)offset;
  int64_t n = write ? rt_file_writev(t, f, pieces, (unsigned)count) : rt_file_readv(t, f, pieces, (unsigned)count);
  f->position = before;
  return n;
}

static int64_t one_piece(struct iovec *piece, uint64_t addr, uint64_t size, int access) {
  piece->iov_len = limit(size);
  piece->iov_base = rt_memory_at(addr, piece->iov_len, access);
  return piece->iov_base ? 1 : -EFAULT;
}

int64_t rt_svc_pread64(rt_thread *t, const uint64_t *a) {
  struct iovec piece;
  rt_file *f = rt_fd_get(a[0]);
  if (!f || !may_read(f)) return -EBADF;
  return transfer_at(t, f, &piece, one_piece(&piece, a[1], a[2], RT_WRITE), (int64_t)a[3], false);
}

int64_t rt_svc_pwrite64(rt_thread *t, const uint64_t *a) {
  struct iovec piece;
  rt_file *f = rt_fd_get(a[0]);
  if (!f || !may_write(f)) return -EBADF;
  return transfer_at(t, f, &piece, one_piece(&piece, a[1], a[2], RT_READ), (int64_t)a[3], true);
}

int64_t rt_svc_preadv(rt_thread *t, const uint64_t *a) {
  struct iovec pieces[MOST_PIECES];
  rt_file *f = rt_fd_get(a[0]);
  if (!f || !may_read(f)) return -EBADF;
  return transfer_at(t, f, pieces, get_pieces(pieces, a[1], a[2], RT_WRITE), (int64_t)a[3], false);
}

int64_t rt_svc_pwritev(rt_thread *t, const uint64_t *a) {
  struct iovec pieces[MOST_PIECES];
  rt_file *f = rt_fd_get(a[0]);
  if (!f || !may_write(f)) return -EBADF;
  return transfer_at(t, f, pieces, get_pieces(pieces, a[1], a[2], RT_READ), (int64_t)a[3], true);
}

int64_t rt_svc_lseek(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_file *f = rt_fd_get(a[0]);
  if (!f || (f->flags & G_O_PATH)) return -EBADF;
  return f->kind->seek ? f->kind->seek(f, (int64_t)a[1], (int)a[2]) : -ESPIPE;
}

int64_t rt_svc_close(rt_thread *t, const uint64_t *a) {
  (void)t;
  return rt_fd_close(a[0]);
}

/* close_range(first, last, flags): CLOSE_RANGE_CLOEXEC = 4 marks instead of closing. */
int64_t rt_svc_close_range(rt_thread *t, const uint64_t *a) {
  (void)t;
  if ((uint32_t)a[0] > (uint32_t)a[1] || a[2] & ~UINT64_C(6)) return -EINVAL;
  for (uint64_t fd = (uint32_t)a[0]; fd <= (uint32_t)a[1] && fd < RT_FD_LIMIT; fd++) {
    if (!rt_fd_get(fd)) continue;
    if (a[2] & 4) rt_fd_set_cloexec(fd, true);
    else rt_fd_close(fd);
  }
  return 0;
}

static int64_t duplicate(rt_file *f, uint64_t from, bool cloexec) {
  if (from >= RT_FD_LIMIT) return -EINVAL;
  rt_file_hold(f);
  return rt_fd_add(f, (int)from, cloexec);
}

int64_t rt_svc_dup(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_file *f = rt_fd_get(a[0]);
  return f ? duplicate(f, 0, false) : -EBADF;
}

int64_t rt_svc_dup3(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_file *f = rt_fd_get(a[0]);
  if (!f || (uint32_t)a[1] >= RT_FD_LIMIT) return -EBADF;
  if ((uint32_t)a[0] == (uint32_t)a[1] || a[2] & ~(uint64_t)G_O_CLOEXEC) return -EINVAL;
  rt_file_hold(f);
  return rt_fd_put(f, (int)a[1], a[2] & G_O_CLOEXEC);
}

/* F_SETFL changes only O_APPEND, O_NONBLOCK and a few that mean nothing here. */
static int64_t set_flags(rt_file *f, uint64_t flags) {
  const int settable = G_O_APPEND | G_O_NONBLOCK;
  if (f->kind->is_host) {
    int host = fcntl(f->host_fd, F_GETFL);
    if (host < 0) return -errno;
    host = (host & ~(O_APPEND | O_NONBLOCK)) | (flags & G_O_APPEND ? O_APPEND : 0) |
           (flags & G_O_NONBLOCK ? O_NONBLOCK : 0);
    if (fcntl(f->host_fd, F_SETFL, host)) return -errno;
  }
  f->flags = (f->flags & ~settable) | (int)(flags & settable);
  return 0;
}

/* struct flock is laid out the same on both sides. */
static int64_t lock_record(rt_file *f, int command, uint64_t addr) {
  void *lock = rt_memory_at(addr, sizeof(struct flock), RT_READ | RT_WRITE);
  if (!lock) return -EFAULT;
  return f->kind->is_host ? rt_host_result(fcntl(f->host_fd, command, lock)) : -EINVAL;
}

int64_t rt_svc_fcntl(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_file *f = rt_fd_get(a[0]);
  if (!f) return -EBADF;
  switch (a[1]) {
    case 0: return duplicate(f, a[2], false);                       /* F_DUPFD */
    case 1030: return duplicate(f, a[2], true);                     /* F_DUPFD_CLOEXEC */
    case 1: return rt_fd_cloexec(a[0]);                             /* F_GETFD */
    case 2: rt_fd_set_cloexec(a[0], a[2] & 1); return 0;            /* F_SETFD */
    case 3: return f->flags | (f->kind->is_host ? G_O_LARGEFILE : 0); /* F_GETFL */
    case 4: return set_flags(f, a[2]);                              /* F_SETFL */
    case 5: return lock_record(f, F_GETLK, a[2]);
    case 6: return lock_record(f, F_SETLK, a[2]);
    case 7: return lock_record(f, F_SETLKW, a[2]);
    case 1031: return f->kind->is_host ? rt_host_result(fcntl(f->host_fd, F_SETPIPE_SZ, (int)a[2])) : -EBADF;
    case 1032: return f->kind->is_host ? rt_host_result(fcntl(f->host_fd, F_GETPIPE_SZ)) : -EBADF;
    default: return -EINVAL;
  }
}

int64_t rt_svc_ioctl(rt_thread *t, const uint64_t *a) {
  rt_file *f = rt_fd_get(a[0]);
  if (!f || (f->flags & G_O_PATH)) return -EBADF;
  if ((uint32_t)a[1] == 0x5451 || (uint32_t)a[1] == 0x5450) { /* FIOCLEX, FIONCLEX */
    rt_fd_set_cloexec(a[0], (uint32_t)a[1] == 0x5451);
    return 0;
  }
  return f->kind->ioctl ? f->kind->ioctl(t, f, (uint32_t)a[1], a[2]) : -ENOTTY;
}

/* Two host descriptors become two guest descriptors, written to guest memory as int[2]. */
static int64_t put_pair(uint64_t addr, int fds[2], int flags, int first_mode, int second_mode) {
  int nonblock = flags & G_O_NONBLOCK;
  int32_t *out = rt_memory_at(addr, 8, RT_WRITE);
  rt_file *one = rt_host_file(rt_host_high(fds[0]), first_mode | nonblock, NULL);
  rt_file *two = rt_host_file(rt_host_high(fds[1]), second_mode | nonblock, NULL);
  if (!out || !one || !two) {
    if (one) rt_file_release(one);
    if (two) rt_file_release(two);
    return out ? -ENOMEM : -EFAULT;
  }
  int64_t first = rt_fd_add(one, 0, flags & G_O_CLOEXEC);
  int64_t second = rt_fd_add(two, 0, flags & G_O_CLOEXEC);
  if (first >= 0 && second < 0) rt_fd_close((uint64_t)first);
  if (first < 0 && second >= 0) rt_fd_close((uint64_t)second);
  if (first < 0 || second < 0) return -EMFILE;
  out[0] = (int32_t)first;
  out[1] = (int32_t)second;
  return 0;
}

int64_t rt_svc_pipe2(rt_thread *t, const uint64_t *a) {
  (void)t;
  int fds[2];
  if (a[1] & ~(uint64_t)(G_O_CLOEXEC | G_O_NONBLOCK | G_O_DIRECT)) return -EINVAL;
  if (pipe2(fds, O_CLOEXEC | (a[1] & G_O_NONBLOCK ? O_NONBLOCK : 0))) return -errno;
  return put_pair(a[0], fds, (int)a[1], 0, G_O_WRONLY);
}

int64_t rt_svc_socketpair(rt_thread *t, const uint64_t *a) {
  (void)t;
  int fds[2], flags = (int)a[1] & (G_O_CLOEXEC | G_O_NONBLOCK);
  int type = (int)a[1] & 0xf;
  if (a[0] != AF_UNIX) return -EAFNOSUPPORT;
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | (flags & G_O_NONBLOCK ? SOCK_NONBLOCK : 0), (int)a[2], fds)) return -errno;
  return put_pair(a[3], fds, flags, G_O_RDWR, G_O_RDWR);
}

/* A host descriptor becomes a guest descriptor. */
static int64_t add_host(int fd, int flags) {
  if (fd < 0) return -errno;
  rt_file *f = rt_host_file(rt_host_high(fd), G_O_RDWR | (flags & G_O_NONBLOCK), NULL);
  return f ? rt_fd_add(f, 0, flags & G_O_CLOEXEC) : -ENOMEM;
}

int64_t rt_svc_eventfd2(rt_thread *t, const uint64_t *a) {
  (void)t;
  int flags = (int)a[1];
  return add_host(eventfd((unsigned)a[0], EFD_CLOEXEC | (flags & 1) | (flags & G_O_NONBLOCK ? EFD_NONBLOCK : 0)), flags);
}

int64_t rt_svc_memfd_create(rt_thread *t, const uint64_t *a) {
  (void)t;
  const char *name = rt_memory_string(a[0], 250);
  if (!name) return -EFAULT;
  return add_host(memfd_create(name, MFD_CLOEXEC | ((unsigned)a[1] & MFD_ALLOW_SEALING)), a[1] & 1 ? G_O_CLOEXEC : 0);
}

/* A buffer's worth at a time through the same functions that read and write take. */
int64_t rt_svc_sendfile(rt_thread *t, const uint64_t *a) {
  rt_file *out = rt_fd_get(a[0]), *in = rt_fd_get(a[1]);
  if (!out || !in || !may_write(out) || !may_read(in)) return -EBADF;
  if (!in->kind->read || !out->kind->write || (a[2] && !in->kind->seek)) return -EINVAL;
  int64_t offset = 0, total = 0;
  if (a[2] && !rt_memory_get(&offset, a[2], 8)) return -EFAULT;
  uint8_t buffer[16384];
  while ((uint64_t)total < limit(a[3])) {
    uint64_t left = limit(a[3]) - (uint64_t)total;
    struct iovec piece = {buffer, left < sizeof buffer ? left : sizeof buffer};
    int64_t n = a[2] ? transfer_at(t, in, &piece, 1, offset + total, false)
                     : in->kind->read(t, in, buffer, piece.iov_len);
    if (n <= 0) {
      if (!total && n < 0) return n;
      break;
    }
    int64_t written = out->kind->write(t, out, buffer, (uint64_t)n);
    if (written < 0) return total ? total : written;
    total += written;
    if (written < n) break;
  }
  offset += total;
  if (a[2] && !rt_memory_put(a[2], &offset, 8)) return -EFAULT;
  return total;
}

/* What only means something for a file of the host. */
static rt_file *host_file(uint64_t fd, int64_t *problem) {
  rt_file *f = rt_fd_get(fd);
  *problem = !f ? -EBADF : f->kind->is_host ? 0 : -EINVAL;
  return f;
}

int64_t rt_svc_fsync(rt_thread *t, const uint64_t *a) {
  (void)t;
  int64_t problem;
  rt_file *f = host_file(a[0], &problem);
  return problem ? problem : rt_host_result(fsync(f->host_fd));
}

int64_t rt_svc_ftruncate(rt_thread *t, const uint64_t *a) {
  (void)t;
  int64_t problem;
  rt_file *f = host_file(a[0], &problem);
  return problem ? problem : rt_host_result(ftruncate(f->host_fd, (off_t)a[1]));
}

int64_t rt_svc_fallocate(rt_thread *t, const uint64_t *a) {
  (void)t;
  int64_t problem;
  rt_file *f = host_file(a[0], &problem);
  return problem ? problem : rt_host_result(fallocate(f->host_fd, (int)a[1], (off_t)a[2], (off_t)a[3]));
}

int64_t rt_svc_fadvise64(rt_thread *t, const uint64_t *a) {
  (void)t;
  return rt_fd_get(a[0]) ? 0 : -EBADF;
}

int64_t rt_svc_sync(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  sync();
  return 0;
}

int64_t rt_svc_flock(rt_thread *t, const uint64_t *a) {
  (void)t;
  int64_t problem;
  rt_file *f = host_file(a[0], &problem);
  return problem ? problem : rt_host_result(flock(f->host_fd, (int)a[1]));
}
