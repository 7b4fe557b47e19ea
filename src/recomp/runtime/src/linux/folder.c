/* getdents64. In deterministic mode names come sorted: the order in which a host's file system keeps them is chance. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../memory.h"
#include "../options.h"
#include "file.h"
#include "folder.h"
#include "svc.h"

/* struct linux_dirent64 is the same for guest and host. */
typedef struct entry {
  uint64_t inode;
  int64_t next;
  uint16_t size;
  uint8_t type;
  char name[];
} entry;

struct rt_folder {
  entry **entries;
  size_t count, position;
};

static int by_name(const void *a, const void *b) {
  return strcmp((*(entry *const *)a)->name, (*(entry *const *)b)->name);
}

static int64_t add(rt_folder *folder, const entry *e) {
  size_t size = sizeof *e + strlen(e->name) + 1;
  entry *copy = malloc(size);
  entry **more = realloc(folder->entries, (folder->count + 1) * sizeof *more);
  if (more) folder->entries = more;
  if (!copy || !more) {
    free(copy);
    return -ENOMEM;
  }
  memcpy(copy, e, size);
  folder->entries[folder->count++] = copy;
  return 0;
}

static void forget(rt_folder *folder) {
  for (size_t i = 0; i < folder->count; i++) free(folder->entries[i]);
  free(folder->entries);
  *folder = (rt_folder){0};
}

static int64_t load(rt_folder *folder, int fd) {
  _Alignas(8) char buffer[16384];
  forget(folder);
  if (lseek(fd, 0, SEEK_SET) < 0) return -errno;
  for (;;) {
    long n = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (n < 0) return -errno;
    if (n == 0) break;
    for (long at = 0; at < n; at += ((entry *)(buffer + at))->size) {
      int64_t problem = add(folder, (entry *)(buffer + at));
      if (problem) return problem;
    }
  }
  if (folder->count && !rt_opt.realtime) qsort(folder->entries, folder->count, sizeof *folder->entries, by_name);
  return 0;
}

int64_t rt_folder_seek(rt_file *f, int64_t offset, int whence) {
  rt_folder *folder = f->state;
  if (whence == SEEK_CUR) offset += (int64_t)folder->position;
  if (whence > SEEK_CUR || offset < 0) return -EINVAL;
  folder->position = (size_t)offset;
  if (offset == 0) forget(folder); /* rewinddir: look again */
  return offset;
}

void rt_folder_close(rt_file *f) {
  rt_folder *folder = f->state;
  if (!folder) return;
  forget(folder);
  free(folder);
}

int64_t rt_svc_getdents64(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_file *f = rt_fd_get(a[0]);
  if (!f) return -EBADF;
  if (!f->kind->is_host) return -ENOTDIR;
  if (!f->state && !(f->state = calloc(1, sizeof(rt_folder)))) return -ENOMEM;
  rt_folder *folder = f->state;
  int64_t problem = folder->entries ? 0 : load(folder, f->host_fd);
  if (problem) return problem;
  uint64_t done = 0;
  for (; folder->position < folder->count; folder->position++) {
    const entry *e = folder->entries[folder->position];
    uint64_t used = offsetof(entry, name) + strlen(e->name) + 1, size = (used + 7) & ~UINT64_C(7);
    if (done + size > (uint32_t)a[2]) break;
    uint8_t *out = rt_memory_at(a[1] + done, size, RT_WRITE);
    if (!out) return -EFAULT;
    memset(out, 0, size);
    memcpy(out, e, used);
    entry head = *e;
    head.next = (int64_t)folder->position + 1;
    head.size = (uint16_t)size;
    memcpy(out, &head, offsetof(entry, name));
    done += size;
  }
  return done || folder->position == folder->count ? (int64_t)done : -EINVAL;
}
