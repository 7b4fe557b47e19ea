/* Files by name: open, stat, links, folders. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../memory.h"
#include "../options.h"
#include "file.h"
#include "path.h"
#include "process.h"
#include "stat.h"
#include "svc.h"

#define G_AT_SYMLINK_NOFOLLOW 0x100
#define G_AT_REMOVEDIR 0x200
#define G_AT_SYMLINK_FOLLOW 0x400
#define G_AT_EMPTY_PATH 0x1000

/* The guest's open flags as the host's; those that are not listed are the same on every Linux. */
static int host_flags(uint64_t g) {
  int flags = (int)g & (G_O_ACCMODE | G_O_CREAT | G_O_EXCL | G_O_TRUNC | G_O_APPEND | G_O_NONBLOCK);
  if (g & G_O_DIRECTORY) flags |= O_DIRECTORY;
  if (g & G_O_NOFOLLOW) flags |= O_NOFOLLOW;
  if ((g & G_O_SYNC) == G_O_SYNC) flags |= O_SYNC;
  if (g & G_O_DSYNC) flags |= O_DSYNC;
  if (g & G_O_PATH) flags |= O_PATH;
  if ((g & G_O_TMPFILE) == G_O_TMPFILE) flags |= O_TMPFILE;
  return flags | O_CLOEXEC | O_NOCTTY;
}

static bool has_root(void) { return rt_opt.root != NULL; }

/* After our own walk the last component is no link any more, and must not become one. */
static int walked(void) { return has_root() ? O_NOFOLLOW : 0; }

static int64_t open_place(const rt_place *place, uint64_t flags, uint32_t mode) {
  int folder = place->must_be_folder && !(flags & G_O_CREAT) ? O_DIRECTORY : 0;
  int fd = rt_host_high(openat(place->folder, place->name, host_flags(flags) | walked() | folder, mode));
  if (fd < 0) return -errno;
  rt_file *f = rt_host_file(fd, (int)flags, strdup(place->guest));
  return f ? rt_fd_add(f, 0, flags & G_O_CLOEXEC) : -ENOMEM;
}

/* Opening /dev/fd/N: a host file is opened anew, as Linux does; another kind is shared. */
static int64_t open_descriptor(int n, uint64_t flags) {
  rt_file *f = rt_fd_get((uint64_t)n);
  if (!f) return -ENOENT;
  if (!f->kind->is_host) {
    rt_file_hold(f);
    return rt_fd_add(f, 0, flags & G_O_CLOEXEC);
  }
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", f->host_fd);
  int fd = rt_host_high(open(path, host_flags(flags & ~(uint64_t)G_O_NOFOLLOW)));
  if (fd < 0) return -errno;
  rt_file *again = rt_host_file(fd, (int)flags, f->path ? strdup(f->path) : NULL);
  return again ? rt_fd_add(again, 0, flags & G_O_CLOEXEC) : -ENOMEM;
}

/* What the runtime itself provides under a path: a descriptor or a negated errno in *result. */
static bool open_virtual(const char *path, uint64_t flags, int64_t *result) {
  int error = 0, n = rt_fd_named(path);
  if (n >= 0) {
    *result = open_descriptor(n, flags);
    return true;
  }
  rt_file *f = rt_virtual_open(path, (int)flags, &error);
  if (!f && !error) return false;
  *result = f ? rt_fd_add(f, 0, flags & G_O_CLOEXEC) : -error;
  return true;
}

static int64_t open_at(int fd, uint64_t path, uint64_t flags, uint32_t mode) {
  rt_place place;
  place.guest[0] = 0;
  bool follow = !(flags & G_O_NOFOLLOW) && !((flags & G_O_CREAT) && (flags & G_O_EXCL));
  int64_t problem = rt_path_resolve(fd, path, follow, &place), result;
  bool is_virtual = place.guest[0] && open_virtual(place.guest, flags, &result);
  if (!is_virtual) result = problem ? problem : open_place(&place, flags, mode);
  if (!problem) rt_path_done(&place);
  return result;
}

int64_t rt_svc_openat(rt_thread *t, const uint64_t *a) {
  (void)t;
  return open_at((int)a[0], a[1], a[2], (uint32_t)a[3]);
}

/* openat2(dirfd, path, struct open_how {flags, mode, resolve}, size) */
int64_t rt_svc_openat2(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t how[3];
  if (a[3] < sizeof how) return -EINVAL;
  if (!rt_memory_get(how, a[2], sizeof how)) return -EFAULT;
  return how[2] ? -EINVAL : open_at((int)a[0], a[1], how[0], (uint32_t)how[1]);
}

/* `how` is called with the folder and name behind a guest path, and returns as a host function does. */
typedef int place_call(const rt_place *place, const void *argument);

static int64_t at_place(int fd, uint64_t path, bool follow, place_call *how, const void *argument) {
  rt_place place;
  int64_t problem = rt_path_resolve(fd, path, follow, &place);
  if (problem) return problem;
  problem = rt_host_result(how(&place, argument));
  rt_path_done(&place);
  return problem;
}

static int make_folder(const rt_place *place, const void *mode) {
  return mkdirat(place->folder, place->name, *(const mode_t *)mode);
}

int64_t rt_svc_mkdirat(rt_thread *t, const uint64_t *a) {
  (void)t;
  mode_t mode = (mode_t)a[2];
  return at_place((int)a[0], a[1], false, make_folder, &mode);
}

static int make_node(const rt_place *place, const void *mode) {
  return mknodat(place->folder, place->name, *(const mode_t *)mode, 0);
}

/* Only what needs no privilege: files, fifos, sockets. */
int64_t rt_svc_mknodat(rt_thread *t, const uint64_t *a) {
  (void)t;
  mode_t mode = (mode_t)a[2];
  if (S_ISCHR(mode) || S_ISBLK(mode)) return -EPERM;
  return at_place((int)a[0], a[1], false, make_node, &mode);
}

static int remove_name(const rt_place *place, const void *flags) {
  return unlinkat(place->folder, place->name, *(const int *)flags);
}

int64_t rt_svc_unlinkat(rt_thread *t, const uint64_t *a) {
  (void)t;
  if (a[2] & ~(uint64_t)G_AT_REMOVEDIR) return -EINVAL;
  int flags = a[2] ? AT_REMOVEDIR : 0;
  return at_place((int)a[0], a[1], false, remove_name, &flags);
}

static int make_link(const rt_place *place, const void *target) {
  return symlinkat(target, place->folder, place->name);
}

int64_t rt_svc_symlinkat(rt_thread *t, const uint64_t *a) {
  (void)t;
  const char *target = rt_memory_string(a[0], RT_PATH_MAX);
  return target ? at_place((int)a[1], a[2], false, make_link, target) : -EFAULT;
}

/* Two paths; `link` makes another name, otherwise the name moves. */
static int64_t two_places(const uint64_t *a, bool link, bool follow, unsigned flags) {
  rt_place from, to;
  int64_t problem = rt_path_resolve((int)a[0], a[1], follow, &from);
  if (problem) return problem;
  problem = rt_path_resolve((int)a[2], a[3], false, &to);
  if (!problem) {
    problem = rt_host_result(link ? linkat(from.folder, from.name, to.folder, to.name, 0)
                             : flags ? (int)syscall(SYS_renameat2, from.folder, from.name, to.folder, to.name, flags)
                                     : renameat(from.folder, from.name, to.folder, to.name));
    rt_path_done(&to);
  }
  rt_path_done(&from);
  return problem;
}

int64_t rt_svc_linkat(rt_thread *t, const uint64_t *a) {
  (void)t;
  return two_places(a, true, a[4] & G_AT_SYMLINK_FOLLOW, 0);
}

int64_t rt_svc_renameat(rt_thread *t, const uint64_t *a) {
  (void)t;
  return two_places(a, false, false, 0);
}

int64_t rt_svc_renameat2(rt_thread *t, const uint64_t *a) {
  (void)t;
  return two_places(a, false, false, (unsigned)a[4]);
}

/* The links that the runtime itself provides; NULL for any other path. */
static const char *virtual_link(const char *path) {
  static char fd_path[RT_PATH_MAX];
  if (strcmp(path, "/proc/self/exe") == 0) return rt_process_exe();
  if (strcmp(path, "/proc/self/cwd") == 0) return rt_path_cwd();
  int fd = strncmp(path, "/proc/", 6) == 0 ? rt_fd_named(path) : -1;
  rt_file *f = fd < 0 ? NULL : rt_fd_get((uint64_t)fd);
  if (!f) return NULL;
  if (f->path) return f->path;
  char host[64];
  snprintf(host, sizeof host, "/proc/self/fd/%d", f->host_fd);
  ssize_t n = readlink(host, fd_path, sizeof fd_path - 1);
  if (n < 0) return NULL;
  fd_path[n] = 0;
  return fd_path;
}

static int64_t put_text(uint64_t addr, uint64_t size, const char *text) {
  uint64_t n = strlen(text);
  if ((int32_t)size <= 0) return -EINVAL;
  if (n > (uint32_t)size) n = (uint32_t)size;
  return rt_memory_put(addr, text, n) ? (int64_t)n : -EFAULT;
}

int64_t rt_svc_readlinkat(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_place place;
  place.guest[0] = 0;
  int64_t problem = rt_path_resolve((int)a[0], a[1], false, &place);
  const char *target = place.guest[0] ? virtual_link(place.guest) : NULL;
  uint32_t mode;
  uint64_t device;
  char text[RT_PATH_MAX];
  if (!target && place.guest[0] && rt_virtual_stat(place.guest, &mode, &device)) {
    if (!problem) rt_path_done(&place);
    return -EINVAL; /* there, but no link */
  }
  if (!problem && !target) {
    ssize_t n = readlinkat(place.folder, place.name, text, sizeof text - 1);
    if (n >= 0) text[n] = 0, target = text;
    else problem = -errno;
    rt_path_done(&place);
  } else if (!problem) {
    rt_path_done(&place);
  }
  return target ? put_text(a[2], a[3], target) : problem;
}

/* What a stat call found: host metadata, or that of a virtual file. */
static int64_t stat_at(int fd, uint64_t path_addr, uint64_t flags, struct stat *s) {
  const char *path = rt_memory_string(path_addr, RT_PATH_MAX);
  if ((flags & G_AT_EMPTY_PATH) && (!path_addr || (path && !*path))) {
    if (fd == G_AT_FDCWD) return rt_host_result(stat(has_root() ? rt_opt.root : ".", s));
    return rt_stat_fd((uint32_t)fd, s);
  }
  rt_place place;
  place.guest[0] = 0;
  int64_t problem = rt_path_resolve(fd, path_addr, !(flags & G_AT_SYMLINK_NOFOLLOW), &place);
  int n = place.guest[0] && !(flags & G_AT_SYMLINK_NOFOLLOW) ? rt_fd_named(place.guest) : -1;
  bool found = n >= 0 ? rt_stat_fd((uint64_t)n, s) == 0 : place.guest[0] && rt_stat_virtual(place.guest, s);
  if (problem) return found ? 0 : problem;
  int host = has_root() || (flags & G_AT_SYMLINK_NOFOLLOW) ? AT_SYMLINK_NOFOLLOW : 0;
  if (!found) problem = rt_host_result(fstatat(place.folder, place.name, s, host));
  if (!problem && !found && place.must_be_folder && !S_ISDIR(s->st_mode)) problem = -ENOTDIR;
  rt_path_done(&place);
  return problem;
}

int64_t rt_svc_newfstatat(rt_thread *t, const uint64_t *a) {
  (void)t;
  struct stat s;
  int64_t problem = stat_at((int)a[0], a[1], a[3], &s);
  return problem ? problem : rt_stat_put(a[2], &s);
}

int64_t rt_svc_fstat(rt_thread *t, const uint64_t *a) {
  (void)t;
  struct stat s;
  int64_t problem = rt_stat_fd(a[0], &s);
  return problem ? problem : rt_stat_put(a[1], &s);
}

int64_t rt_svc_statx(rt_thread *t, const uint64_t *a) {
  (void)t;
  struct stat s;
  int64_t problem = stat_at((int)a[0], a[1], a[2], &s);
  return problem ? problem : rt_stat_put_extended(a[4], &s);
}

static int64_t access_at(int fd, uint64_t path, int mode, uint64_t flags) {
  struct stat s;
  if (mode & ~7) return -EINVAL;
  int64_t problem = stat_at(fd, path, flags, &s);
  if (problem || mode == F_OK) return problem;
  rt_place place;
  if (rt_path_resolve(fd, path, !(flags & G_AT_SYMLINK_NOFOLLOW), &place)) return 0; /* a virtual file */
  uint32_t unused_mode;
  uint64_t unused_device;
  if (rt_fd_named(place.guest) < 0 && !rt_virtual_stat(place.guest, &unused_mode, &unused_device))
    problem = rt_host_result(faccessat(place.folder, place.name, mode, 0));
  rt_path_done(&place);
  return problem;
}

int64_t rt_svc_faccessat(rt_thread *t, const uint64_t *a) {
  (void)t;
  return access_at((int)a[0], a[1], (int)a[2], 0);
}

int64_t rt_svc_faccessat2(rt_thread *t, const uint64_t *a) {
  (void)t;
  return access_at((int)a[0], a[1], (int)a[2], a[3] & G_AT_SYMLINK_NOFOLLOW);
}

static int change_mode(const rt_place *place, const void *mode) {
  return fchmodat(place->folder, place->name, *(const mode_t *)mode, 0);
}

int64_t rt_svc_fchmodat(rt_thread *t, const uint64_t *a) {
  (void)t;
  mode_t mode = (mode_t)a[2];
  return at_place((int)a[0], a[1], true, change_mode, &mode);
}

int64_t rt_svc_fchmod(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_file *f = rt_fd_get(a[0]);
  if (!f) return -EBADF;
  return f->kind->is_host ? rt_host_result(fchmod(f->host_fd, (mode_t)a[1])) : -EPERM;
}

/* Owners: the guest is its files' owner, and giving them to itself succeeds. */
static int64_t may_own(uint64_t uid, uint64_t gid) {
  bool same = ((uint32_t)uid == UINT32_MAX || (uint32_t)uid == rt_process_uid()) &&
              ((uint32_t)gid == UINT32_MAX || (uint32_t)gid == rt_process_gid());
  return same ? 0 : -EPERM;
}

int64_t rt_svc_fchownat(rt_thread *t, const uint64_t *a) {
  (void)t;
  struct stat s;
  int64_t problem = stat_at((int)a[0], a[1], a[4], &s);
  return problem ? problem : may_own(a[2], a[3]);
}

int64_t rt_svc_fchown(rt_thread *t, const uint64_t *a) {
  (void)t;
  return rt_fd_get(a[0]) ? may_own(a[1], a[2]) : -EBADF;
}

static int set_times(const rt_place *place, const void *times) {
  return utimensat(place->folder, place->name, times, has_root() ? AT_SYMLINK_NOFOLLOW : 0);
}

static int set_link_times(const rt_place *place, const void *times) {
  return utimensat(place->folder, place->name, times, AT_SYMLINK_NOFOLLOW);
}

int64_t rt_svc_utimensat(rt_thread *t, const uint64_t *a) {
  (void)t;
  struct timespec times[2];
  if (!rt_stat_get_times(times, a[2])) return -EFAULT;
  if (a[1]) {
    bool link = a[3] & G_AT_SYMLINK_NOFOLLOW;
    return at_place((int)a[0], a[1], !link, link ? set_link_times : set_times, times);
  }
  rt_file *f = rt_fd_get(a[0]);
  if (!f) return -EBADF;
  return f->kind->is_host ? rt_host_result(futimens(f->host_fd, times)) : 0;
}

static int cut(const rt_place *place, const void *size) {
  int fd = openat(place->folder, place->name, O_WRONLY | O_CLOEXEC | O_NONBLOCK | walked());
  if (fd < 0) return -1;
  int result = ftruncate(fd, *(const off_t *)size);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

int64_t rt_svc_truncate(rt_thread *t, const uint64_t *a) {
  (void)t;
  off_t size = (off_t)a[1];
  return at_place(G_AT_FDCWD, a[0], true, cut, &size);
}

int64_t rt_svc_getcwd(rt_thread *t, const uint64_t *a) {
  (void)t;
  if (!rt_path_cwd()) return -errno;
  uint64_t size = strlen(rt_path_cwd()) + 1;
  if (a[1] < size) return -ERANGE;
  return rt_memory_put(a[0], rt_path_cwd(), size) ? (int64_t)size : -EFAULT;
}

int64_t rt_svc_chdir(rt_thread *t, const uint64_t *a) {
  (void)t;
  return rt_path_chdir(a[0]);
}

int64_t rt_svc_fchdir(rt_thread *t, const uint64_t *a) {
  (void)t;
  return rt_path_fchdir((int)a[0]);
}

/* The sizes of a file system are the host's business: the guest sees a constant one. */
static int64_t put_statfs(uint64_t addr) {
  const uint64_t out[15] = {0xef53, 4096, 1 << 24, 1 << 23, 1 << 23, 1 << 20, 1 << 19, 0, 255, 4096, 0};
  return rt_memory_put(addr, out, sizeof out) ? 0 : -EFAULT;
}

int64_t rt_svc_statfs(rt_thread *t, const uint64_t *a) {
  (void)t;
  struct stat s;
  int64_t problem = stat_at(G_AT_FDCWD, a[0], 0, &s);
  return problem ? problem : put_statfs(a[1]);
}

int64_t rt_svc_fstatfs(rt_thread *t, const uint64_t *a) {
  (void)t;
  return rt_fd_get(a[0]) ? put_statfs(a[1]) : -EBADF;
}

int64_t rt_svc_umask(rt_thread *t, const uint64_t *a) {
  (void)t;
  return umask((mode_t)a[0] & 0777);
}
