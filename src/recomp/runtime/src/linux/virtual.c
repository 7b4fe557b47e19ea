/* Files that exist whatever the guest's root holds: devices, and the little of /proc that programs ask for. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../memory.h"
#include "../options.h"
#include "../random.h"
#include "devices.h"
#include "hwcap.h"
#include "process.h"
#include "stack.h"

static int64_t read_nothing(rt_thread *t, rt_file *f, void *to, uint64_t size) {
  (void)t, (void)f, (void)to, (void)size;
  return 0;
}

static int64_t read_zeros(rt_thread *t, rt_file *f, void *to, uint64_t size) {
  (void)t, (void)f;
  memset(to, 0, size);
  return (int64_t)size;
}

static int64_t read_random(rt_thread *t, rt_file *f, void *to, uint64_t size) {
  (void)t, (void)f;
  rt_random_fill(to, size);
  return (int64_t)size;
}

static int64_t write_away(rt_thread *t, rt_file *f, const void *from, uint64_t size) {
  (void)t, (void)f, (void)from;
  return (int64_t)size;
}

static int64_t write_full(rt_thread *t, rt_file *f, const void *from, uint64_t size) {
  (void)t, (void)f, (void)from;
  return size ? -ENOSPC : 0;
}

static int64_t stay(rt_file *f, int64_t offset, int whence) {
  (void)f, (void)offset, (void)whence;
  return 0;
}

/* A private mapping of /dev/zero is anonymous memory. */
static int64_t map_zeros(rt_file *f, uint32_t addr, uint64_t size, int access, bool shared, uint64_t offset) {
  (void)f, (void)offset;
  return -rt_memory_map_anonymous(addr, size, access, shared);
}

#define CHARACTER (S_IFCHR | 0666)
static const rt_file_kind null_kind = {
    .name = "null", .read = read_nothing, .write = write_away, .seek = stay, .mode = CHARACTER, .device = 0x103};
static const rt_file_kind zero_kind = {.name = "zero",
                                       .read = read_zeros,
                                       .write = write_away,
                                       .seek = stay,
                                       .map = map_zeros,
                                       .mode = CHARACTER,
                                       .device = 0x105};
static const rt_file_kind full_kind = {
    .name = "full", .read = read_zeros, .write = write_full, .seek = stay, .mode = CHARACTER, .device = 0x107};
static const rt_file_kind random_kind = {
    .name = "random", .read = read_random, .write = write_away, .seek = stay, .mode = CHARACTER, .device = 0x108};

static rt_file *open_null(int flags) { return rt_file_new(&null_kind, flags, -1, NULL); }
static rt_file *open_zero(int flags) { return rt_file_new(&zero_kind, flags, -1, NULL); }
static rt_file *open_full(int flags) { return rt_file_new(&full_kind, flags, -1, NULL); }
static rt_file *open_random(int flags) { return rt_file_new(&random_kind, flags, -1, NULL); }

/* Files with a text that is made when they are opened. */

typedef struct contents {
  size_t size;
  char bytes[];
} contents;

static int64_t read_text(rt_thread *t, rt_file *f, void *to, uint64_t size) {
  (void)t;
  const contents *c = f->state;
  if (f->position >= c->size) return 0;
  if (size > c->size - f->position) size = c->size - f->position;
  memcpy(to, c->bytes + f->position, size);
  f->position += size;
  return (int64_t)size;
}

static int64_t seek_text(rt_file *f, int64_t offset, int whence) {
  const contents *c = f->state;
  int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)f->position : (int64_t)c->size;
  if (whence < SEEK_SET || whence > SEEK_END || from + offset < 0) return -EINVAL;
  return (int64_t)(f->position = (uint64_t)(from + offset));
}

static void close_text(rt_file *f) { free(f->state); }

static const rt_file_kind text_kind = {
    .name = "text", .read = read_text, .seek = seek_text, .close = close_text, .mode = S_IFREG | 0444};

static rt_file *open_text(int flags, const char *bytes, size_t size) {
  contents *c = malloc(sizeof *c + size);
  rt_file *f = c ? rt_file_new(&text_kind, flags, -1, NULL) : NULL;
  if (!f) {
    free(c);
    return NULL;
  }
  c->size = size;
  memcpy(c->bytes, bytes, size);
  f->state = c;
  return f;
}

static rt_file *open_cmdline(int flags) {
  size_t size;
  const char *bytes = rt_process_cmdline(&size);
  return open_text(flags, bytes, size);
}

/* What the program began with, as the kernel keeps it: later changes do not show. */
static rt_file *open_environ(int flags) {
  size_t size;
  const char *bytes = rt_process_environment(&size);
  return open_text(flags, bytes, size);
}

static rt_file *open_comm(int flags) {
  char text[17];
  int n = snprintf(text, sizeof text, "%.15s\n", rt_process_name());
  return open_text(flags, text, (size_t)n);
}

static rt_file *open_auxv(int flags) {
  size_t size;
  const void *bytes = rt_stack_auxiliary(&size);
  return open_text(flags, bytes, size);
}

/* The same permissions in a row are one line; the stack has its name, which thread libraries look for. */
static rt_file *open_maps(int flags) {
  size_t capacity = 1 << 20, size = 0;
  char *text = malloc(capacity);
  if (!text) return NULL;
  for (uint64_t start = 0, end; start < RT_SPACE && size + 128 < capacity; start = end) {
    int access = rt_memory_page((uint32_t)start);
    const bool stack = start == RT_STACK_TOP - RT_STACK_SIZE;
    for (end = start + RT_PAGE; end < RT_SPACE && rt_memory_page((uint32_t)end) == access; end += RT_PAGE)
      if (end == RT_STACK_TOP - RT_STACK_SIZE) break;
    if (!(access & RT_MAPPED)) continue;
    size += (size_t)snprintf(text + size, capacity - size, "%08llx-%08llx %c%c%cp 00000000 00:00 0 %s\n",
                             (unsigned long long)start, (unsigned long long)end, access & RT_READ ? 'r' : '-',
                             access & RT_WRITE ? 'w' : '-', access & RT_EXEC ? 'x' : '-', stack ? "[stack]" : "");
  }
  rt_file *f = open_text(flags, text, size);
  free(text);
  return f;
}

static rt_file *open_cpuinfo(int flags) {
  static const char text[] =
      "processor\t: 0\nBogoMIPS\t: 125.00\nFeatures\t:" RT_HWCAP_NAMES "\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
      "CPU variant\t: 0x0\nCPU part\t: 0xd03\nCPU revision\t: 4\n\n";
  return open_text(flags, text, sizeof text - 1);
}

static rt_file *open_meminfo(int flags) {
  static const char text[] =
      "MemTotal:        4194304 kB\nMemFree:         3145728 kB\nMemAvailable:    3145728 kB\n"
      "Buffers:               0 kB\nCached:                0 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n";
  return open_text(flags, text, sizeof text - 1);
}

static rt_file *open_overcommit(int flags) { return open_text(flags, "0\n", 2); }

static rt_file *open_self_stat(int flags) {
  char text[256];
  int n = snprintf(text, sizeof text, "%d (%s) R %d %d %d 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0\n", rt_process_id(),
                   rt_process_name(), rt_process_parent(), rt_process_id(), rt_process_id());
  return open_text(flags, text, (size_t)n);
}

static rt_file *open_self_status(int flags) {
  char text[256];
  int n = snprintf(text, sizeof text, "Name:\t%s\nState:\tR (running)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nThreads:\t%u\n",
                   rt_process_name(), rt_process_id(), rt_process_id(), rt_process_parent(), rt_thread_count());
  return open_text(flags, text, (size_t)n);
}

/* `always`: also where the guest sees the host's own files. */
static const struct {
  const char *path;
  rt_file *(*open)(int flags);
  uint32_t mode;
  uint64_t device;
  bool always;
} files[] = {
    {"/dev/fb0", rt_fb_open, CHARACTER, 29 << 8, true},
    {"/dev/input/event0", rt_input_open, CHARACTER, 13 << 8 | 64, true},
    {"/dev/dsp", rt_dsp_open, CHARACTER, 14 << 8 | 3, true},
    {"/dev/null", open_null, CHARACTER, 0x103, false},
    {"/dev/zero", open_zero, CHARACTER, 0x105, false},
    {"/dev/full", open_full, CHARACTER, 0x107, false},
    {"/dev/random", open_random, CHARACTER, 0x108, false},
    {"/dev/urandom", open_random, CHARACTER, 0x109, false},
    {"/proc/self/cmdline", open_cmdline, S_IFREG | 0444, 0, true},
    {"/proc/self/environ", open_environ, S_IFREG | 0400, 0, true},
    {"/proc/self/comm", open_comm, S_IFREG | 0644, 0, true},
    {"/proc/self/auxv", open_auxv, S_IFREG | 0400, 0, true},
    {"/proc/self/maps", open_maps, S_IFREG | 0444, 0, true},
    {"/proc/self/stat", open_self_stat, S_IFREG | 0444, 0, true},
    {"/proc/self/status", open_self_status, S_IFREG | 0444, 0, true},
    {"/proc/cpuinfo", open_cpuinfo, S_IFREG | 0444, 0, true},
    {"/proc/meminfo", open_meminfo, S_IFREG | 0444, 0, false},
    {"/proc/sys/vm/overcommit_memory", open_overcommit, S_IFREG | 0444, 0, false},
};

static int find(const char *path) {
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
    if (strcmp(files[i].path, path) == 0 && (files[i].always || !rt_opt.realtime || rt_opt.root)) return (int)i;
  return -1;
}

rt_file *rt_virtual_open(const char *path, int flags, int *error) {
  int i = find(path);
  *error = 0;
  if (i < 0) return NULL;
  if ((flags & (G_O_CREAT | G_O_EXCL)) == (G_O_CREAT | G_O_EXCL)) *error = EEXIST;
  else if (flags & G_O_DIRECTORY) *error = ENOTDIR;
  else if ((flags & G_O_ACCMODE) && !(files[i].mode & 0222)) *error = EACCES;
  if (*error) return NULL;
  rt_file *f = files[i].open(flags);
  if (f) f->path = strdup(path);
  else *error = ENOMEM;
  return f;
}

bool rt_virtual_stat(const char *path, uint32_t *mode, uint64_t *device) {
  int i = find(path);
  if (i < 0) return false;
  *mode = files[i].mode;
  *device = files[i].device;
  return true;
}
