#define _GNU_SOURCE
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../end.h"
#include "../../options.h"
#include "rt.h"

static int volumes[HZ_VOLUMES];
static char arguments[512];
static char program[256]; /* its path on the SD card */

static int open_volume(const char *name) {
  if (!rt_opt.root) return -1;
  int root = open(rt_opt.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) rt_fail("RECOMP_RT_ROOT: cannot open folder %s: %s", rt_opt.root, strerror(errno));
  mkdirat(root, name, 0755);
  int volume = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (volume < 0) rt_fail("RECOMP_RT_ROOT: cannot open folder %s/%s: %s", rt_opt.root, name, strerror(errno));
  close(root);
  return volume;
}

void hz_files_init(void) {
  volumes[HZ_SD_CARD] = open_volume("sdmc");
  const char *name = rt_guest.image_count ? rt_guest.images[0].name : rt_guest.name;
  snprintf(program, sizeof program, "/switch/%.200s%s", name, strstr(name, ".nro") ? "" : ".nro");
  snprintf(arguments, sizeof arguments, strchr(program, ' ') ? "\"sdmc:%s\"" : "sdmc:%s", program);
}

const char *hz_files_program_path(void) { return arguments; }

hz_result hz_files_error(void) {
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP: return HZ_FS_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY: return HZ_FS_EXISTS;
    case ENOSPC:
    case EROFS:
    case EACCES: return HZ_FS_FULL;
    case ENAMETOOLONG: return HZ_FS_PATH_TOO_LONG;
    default: return HZ_FS_IO;
  }
}

/* The card does not tell upper from lower case: of the names that fit the first in order. */
static void match_case(int folder, char *name) {
  struct stat st;
  if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0) return;
  int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = again < 0 ? NULL : fdopendir(again);
  char best[256] = "";
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (strcasecmp(e->d_name, name) == 0 && (!*best || strcmp(e->d_name, best) < 0)) strcpy(best, e->d_name);
  if (dir) closedir(dir);
  if (*best) strcpy(name, best);
}

static bool enter(hz_place *place) {
  match_case(place->folder, place->name);
  int next = openat(place->folder, place->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  const int problem = errno;
  close(place->folder);
  place->folder = next;
  errno = problem;
  return next >= 0;
}

/* The parts of a path without empty ones, "." and ".."; how many, or -1 where it is too deep or a name too long. */
#define MOST_PARTS 64
typedef struct part {
  const char *text;
  size_t size;
} part;

static int take_apart(const char *path, part *parts) {
  int n = 0;
  while (*path) {
    const size_t size = strcspn(path, "/");
    if (size == 2 && memcmp(path, "..", 2) == 0) {
      if (n) n--;
    } else if (size && !(size == 1 && *path == '.')) {
      if (n == MOST_PARTS || size > 255) return -1;
      parts[n++] = (part){path, size};
    }
    path += size;
    path += *path == '/';
  }
  return n;
}

static bool is_program(hz_volume volume, const part *parts, int n) {
  char whole[HZ_PATH_SIZE] = "";
  size_t at = 0;
  for (int i = 0; i < n && at + parts[i].size + 2 < sizeof whole; i++)
    at += (size_t)snprintf(whole + at, sizeof whole - at, "/%.*s", (int)parts[i].size, parts[i].text);
  return volume == HZ_SD_CARD && strcasecmp(whole, program) == 0;
}

hz_result hz_files_find(hz_volume volume, const char *path, hz_place *place) {
  part parts[MOST_PARTS];
  struct stat st;
  const int n = take_apart(path, parts);
  if (n < 0) return HZ_FS_PATH_TOO_LONG;
  place->is_program = is_program(volume, parts, n);
  place->folder = volumes[volume] < 0 ? -1 : openat(volumes[volume], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  strcpy(place->name, ".");
  for (int i = 0; i < n && place->folder >= 0; i++) {
    if (i > 0 && !enter(place)) break;
    memcpy(place->name, parts[i].text, parts[i].size);
    place->name[parts[i].size] = 0;
  }
  if (place->folder < 0) {
    if (volumes[volume] < 0) errno = ENOENT;
    return place->is_program ? HZ_OK : hz_files_error();
  }
  match_case(place->folder, place->name);
  if (fstatat(place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0) place->is_program = false;
  return HZ_OK;
}
