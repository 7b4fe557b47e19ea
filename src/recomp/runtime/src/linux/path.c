#define _GNU_SOURCE
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../end.h"
#include "../memory.h"
#include "../options.h"
#include "file.h"

#define DEEPEST 128    /* folders below the root that a path may lead through */
#define MOST_LINKS 40  /* as Linux */

static int root = -1;
static char cwd[RT_PATH_MAX] = "/";

void rt_path_init(void) {
  if (!rt_opt.root) {
    if (rt_opt.realtime && !getcwd(cwd, sizeof cwd)) strcpy(cwd, "/");
    return;
  }
  root = rt_host_high(open(rt_opt.root, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root < 0) rt_fail("RECOMP_RT_ROOT: cannot open folder %s: %s", rt_opt.root, strerror(errno));
}

bool rt_path_is_host(void) { return rt_opt.realtime && !rt_opt.root; }

/* `to` = base/path, or path alone where it is absolute. */
static int64_t join(char *to, const char *base, const char *path) {
  int n = *path == '/' ? snprintf(to, RT_PATH_MAX, "%s", path) : snprintf(to, RT_PATH_MAX, "%s/%s", base, path);
  return n >= RT_PATH_MAX ? -ENAMETOOLONG : 0;
}

/* A walk from the root: the folders on the way, each open, so that `..` needs nothing of the host. */
typedef struct walk {
  int folders[DEEPEST];
  size_t lengths[DEEPEST]; /* of `done` for each folder */
  int depth;               /* folders[0] is the root, which stays open */
  char done[RT_PATH_MAX];  /* guest path of the innermost folder, "" for the root */
  char left[RT_PATH_MAX * 2];
  int links;
} walk;

static void leave_folder(walk *w) {
  if (w->depth == 0) return;
  close(w->folders[w->depth--]);
  w->done[w->lengths[w->depth]] = 0;
}

static int64_t enter_folder(walk *w, int fd, const char *name) {
  size_t length = strlen(w->done), size = strlen(name);
  if (w->depth + 1 >= DEEPEST || length + size + 2 > RT_PATH_MAX) {
    close(fd);
    return -ENAMETOOLONG;
  }
  w->done[length] = '/';
  memcpy(w->done + length + 1, name, size + 1);
  w->lengths[++w->depth] = length + 1 + size;
  w->folders[w->depth] = fd;
  return 0;
}

/* Puts a link's target in front of what is left of the path. */
static int64_t follow_link(walk *w, int fd) {
  char target[RT_PATH_MAX], rest[RT_PATH_MAX * 2];
  ssize_t n = readlinkat(fd, "", target, sizeof target - 1);
  if (n < 0) return -errno;
  target[n] = 0;
  if (++w->links > MOST_LINKS) return -ELOOP;
  strcpy(rest, w->left);
  if (snprintf(w->left, sizeof w->left, "%s%s%s", target, *rest ? "/" : "", rest) >= (int)sizeof w->left)
    return -ENAMETOOLONG;
  while (*target == '/' && w->depth > 0) leave_folder(w);
  return 0;
}

/* Takes the next component off `left`; false at the end of the path. */
static bool next_component(walk *w, char *name) {
  size_t skip = strspn(w->left, "/"), size = strcspn(w->left + skip, "/");
  memcpy(name, w->left + skip, size);
  name[size] = 0;
  size_t rest = skip + size + strspn(w->left + skip + size, "/");
  memmove(w->left, w->left + rest, strlen(w->left + rest) + 1);
  return size > 0;
}

/* One component that is not the last one: a folder, or a link that leads on. */
static int64_t step(walk *w, const char *name) {
  int fd = openat(w->folders[w->depth], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -errno;
  struct stat s;
  int64_t problem = fstat(fd, &s) ? -errno : 0;
  if (!problem && S_ISDIR(s.st_mode)) return enter_folder(w, fd, name);
  if (!problem) problem = S_ISLNK(s.st_mode) ? follow_link(w, fd) : -ENOTDIR;
  close(fd);
  return problem;
}

static bool is_link(walk *w, const char *name) {
  struct stat s;
  return fstatat(w->folders[w->depth], name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(s.st_mode);
}

/* Walks until the last component stands in place->name. */
static int64_t walk_to_last(walk *w, bool follow, rt_place *place) {
  char name[RT_PATH_MAX];
  while (next_component(w, name)) {
    if (strlen(name) > NAME_MAX) return -ENAMETOOLONG;
    if (strcmp(name, ".") == 0) continue;
    if (strcmp(name, "..") == 0) {
      leave_folder(w);
      continue;
    }
    if (!*w->left && !((follow || place->must_be_folder) && is_link(w, name))) {
      strcpy(place->name, name);
      return 0;
    }
    int64_t problem = step(w, name);
    if (problem) return problem;
  }
  strcpy(place->name, "."); /* the path ended in a folder that is already open */
  return 0;
}

static int64_t walk_path(const char *path, bool follow, rt_place *place) {
  static walk w; /* large; one supervisor call at a time */
  w.depth = w.links = 0;
  w.lengths[0] = 0;
  w.folders[0] = root;
  w.done[0] = 0;
  strcpy(w.left, path);
  int64_t problem = walk_to_last(&w, follow, place);
  if (!problem) {
    const bool itself = strcmp(place->name, ".") == 0;
    if (snprintf(place->guest, RT_PATH_MAX, "%s%s%s", w.done, itself && *w.done ? "" : "/", itself ? "" : place->name) >=
        RT_PATH_MAX)
      problem = -ENAMETOOLONG;
  }
  place->folder = w.folders[w.depth];
  place->owns_folder = w.depth > 0;
  for (int i = 1; i < w.depth; i++) close(w.folders[i]);
  if (problem) rt_path_done(place);
  return problem;
}

/* The guest's absolute path without looking at any file: enough for the virtual files. */
static void normalize(char *to, const char *path) {
  size_t size = 0;
  while (*path) {
    path += strspn(path, "/");
    size_t n = strcspn(path, "/");
    if (n == 2 && path[0] == '.' && path[1] == '.') {
      while (size > 0 && to[--size] != '/') continue;
    } else if (n > 0 && !(n == 1 && path[0] == '.')) {
      to[size++] = '/';
      memcpy(to + size, path, n);
      size += n;
    }
    path += n;
  }
  if (size == 0) to[size++] = '/';
  to[size] = 0;
}

/* The guest path that a relative path starts from, or NULL. */
static const char *base_of(int fd, int64_t *problem) {
  if (fd == G_AT_FDCWD) return cwd;
  rt_file *f = rt_fd_get((uint32_t)fd);
  *problem = !f ? -EBADF : !f->path ? -ENOTDIR : 0;
  return *problem ? NULL : f->path;
}

static int64_t resolve_on_host(int fd, const char *path, rt_place *place) {
  rt_file *f = fd == G_AT_FDCWD || *path == '/' ? NULL : rt_fd_get((uint32_t)fd);
  place->folder = f ? f->host_fd : AT_FDCWD;
  strcpy(place->name, path);
  return f && f->host_fd < 0 ? -ENOTDIR : 0;
}

int64_t rt_path_resolve(int fd, uint64_t path_addr, bool follow, rt_place *place) {
  const char *path = rt_memory_string(path_addr, RT_PATH_MAX);
  if (!path) return rt_memory_allows(path_addr, RT_PATH_MAX, RT_READ) ? -ENAMETOOLONG : -EFAULT;
  return rt_path_resolve_text(fd, path, follow, place);
}

int64_t rt_path_resolve_text(int fd, const char *path, bool follow, rt_place *place) {
  if (!*path) return -ENOENT;
  int64_t problem = 0;
  char whole[RT_PATH_MAX];
  const char *base = *path == '/' ? "" : base_of(fd, &problem);
  if (!problem) problem = join(whole, base ? base : "", path);
  if (problem) return problem;
  place->owns_folder = false;
  place->must_be_folder = path[strlen(path) - 1] == '/';
  normalize(place->guest, whole);
  if (rt_path_is_host()) return resolve_on_host(fd, path, place);
  if (root >= 0) return walk_path(whole, follow, place);
  return -ENOENT;
}

void rt_path_done(rt_place *place) {
  if (place->owns_folder) close(place->folder);
  place->owns_folder = false;
}

const char *rt_path_cwd(void) {
  if (rt_path_is_host() && !getcwd(cwd, sizeof cwd)) return NULL;
  return cwd;
}

static bool is_folder(const rt_place *place) {
  struct stat s;
  return fstatat(place->folder, place->name, &s, rt_path_is_host() ? 0 : AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(s.st_mode);
}

int64_t rt_path_chdir(uint64_t path_addr) {
  rt_place place;
  int64_t problem = rt_path_resolve(G_AT_FDCWD, path_addr, true, &place);
  if (problem) return root < 0 && !rt_path_is_host() && strcmp(place.guest, "/") == 0 ? 0 : problem;
  if (rt_path_is_host()) problem = chdir(place.name) || !getcwd(cwd, sizeof cwd) ? -errno : 0;
  else if (faccessat(place.folder, place.name, F_OK, AT_SYMLINK_NOFOLLOW)) problem = -errno;
  else if (!is_folder(&place)) problem = -ENOTDIR;
  else strcpy(cwd, place.guest);
  rt_path_done(&place);
  return problem;
}

int64_t rt_path_fchdir(int fd) {
  rt_file *f = rt_fd_get((uint32_t)fd);
  if (!f) return -EBADF;
  if (!f->path) return -ENOTDIR;
  if (rt_path_is_host()) return fchdir(f->host_fd) || !getcwd(cwd, sizeof cwd) ? -errno : 0;
  strcpy(cwd, f->path);
  return 0;
}

void rt_path_return_to(const char *path) { snprintf(cwd, sizeof cwd, "%s", path); }
