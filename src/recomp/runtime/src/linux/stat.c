#define _GNU_SOURCE
#include "stat.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../clock.h"
#include "../memory.h"
#include "../options.h"
#include "file.h"
#include "process.h"
#include "svc.h"

typedef struct guest_stat {
  uint64_t dev, ino;
  uint32_t mode, nlink, uid, gid;
  uint64_t rdev, pad1;
  int64_t size;
  int32_t blksize, pad2;
  int64_t blocks, atime_s, atime_ns, mtime_s, mtime_ns, ctime_s, ctime_ns;
  uint32_t unused[2];
} guest_stat;

typedef struct guest_time {
  int64_t seconds;
  uint32_t nanoseconds, pad;
} guest_time;

typedef struct guest_statx {
  uint32_t mask, blksize;
  uint64_t attributes;
  uint32_t nlink, uid, gid;
  uint16_t mode, pad1;
  uint64_t ino, size, blocks, attributes_mask;
  guest_time atime, btime, ctime, mtime;
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t spare[14];
} guest_statx;

_Static_assert(sizeof(guest_stat) == 128 && sizeof(guest_statx) == 256, "the kernel's sizes");

#define BASIC_STATS 0x7ff

static void describe_virtual(struct stat *s, uint32_t mode, uint64_t device) {
  memset(s, 0, sizeof *s);
  s->st_mode = mode;
  s->st_nlink = 1;
  s->st_rdev = (dev_t)device;
  s->st_ino = (ino_t)(device + 1);
  s->st_blksize = 4096;
  s->st_atim.tv_sec = s->st_mtim.tv_sec = s->st_ctim.tv_sec = RT_REALTIME_START_S;
}

int64_t rt_stat_fd(uint64_t fd, struct stat *s) {
  rt_file *f = rt_fd_get(fd);
  if (!f) return -EBADF;
  if (f->host_fd >= 0) return rt_host_result(fstat(f->host_fd, s));
  describe_virtual(s, f->kind->mode, f->kind->device);
  return 0;
}

bool rt_stat_virtual(const char *path, struct stat *s) {
  uint32_t mode;
  uint64_t device;
  if (!rt_virtual_stat(path, &mode, &device)) return false;
  describe_virtual(s, mode, device);
  return true;
}

int64_t rt_stat_put(uint64_t addr, const struct stat *s) {
  const guest_stat out = {
      .dev = s->st_dev,
      .ino = s->st_ino,
      .mode = s->st_mode,
      .nlink = (uint32_t)s->st_nlink,
      .uid = rt_process_see_uid(s->st_uid),
      .gid = rt_process_see_gid(s->st_gid),
      .rdev = s->st_rdev,
      .size = s->st_size,
      .blksize = (int32_t)s->st_blksize,
      .blocks = s->st_blocks,
      .atime_s = s->st_atim.tv_sec,
      .atime_ns = s->st_atim.tv_nsec,
      .mtime_s = s->st_mtim.tv_sec,
      .mtime_ns = s->st_mtim.tv_nsec,
      .ctime_s = s->st_ctim.tv_sec,
      .ctime_ns = s->st_ctim.tv_nsec,
  };
  return rt_memory_put(addr, &out, sizeof out) ? 0 : -EFAULT;
}

static guest_time time_of(struct timespec ts) { return (guest_time){ts.tv_sec, (uint32_t)ts.tv_nsec, 0}; }

int64_t rt_stat_put_extended(uint64_t addr, const struct stat *s) {
  const guest_statx out = {
      .mask = BASIC_STATS,
      .blksize = (uint32_t)s->st_blksize,
      .nlink = (uint32_t)s->st_nlink,
      .uid = rt_process_see_uid(s->st_uid),
      .gid = rt_process_see_gid(s->st_gid),
      .mode = (uint16_t)s->st_mode,
      .ino = s->st_ino,
      .size = (uint64_t)s->st_size,
      .blocks = (uint64_t)s->st_blocks,
      .atime = time_of(s->st_atim),
      .ctime = time_of(s->st_ctim),
      .mtime = time_of(s->st_mtim),
      .rdev_major = major(s->st_rdev),
      .rdev_minor = minor(s->st_rdev),
      .dev_major = major(s->st_dev),
      .dev_minor = minor(s->st_dev),
  };
  return rt_memory_put(addr, &out, sizeof out) ? 0 : -EFAULT;
}

bool rt_stat_get_times(struct timespec times[2], uint64_t addr) {
  int64_t given[2][2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  if (addr && !rt_memory_get(given, addr, sizeof given)) return false;
  for (int i = 0; i < 2; i++) {
    times[i] = (struct timespec){given[i][0], given[i][1]};
    if (given[i][1] != UTIME_NOW || rt_opt.realtime) continue;
    uint64_t now = rt_clock_realtime_ns();
    times[i] = (struct timespec){(time_t)(now / 1000000000), (long)(now % 1000000000)};
  }
  return true;
}
