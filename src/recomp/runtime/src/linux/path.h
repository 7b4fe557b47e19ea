/* Guest paths. Where the guest has a root, every step of a path is taken here, on open folders, so that neither `..`
 * nor a symbolic link nor a folder that moves meanwhile leads out of it. */
#ifndef RT_LINUX_PATH_H
#define RT_LINUX_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define RT_PATH_MAX 4096 /* bytes, with the end */
#define G_AT_FDCWD (-100)

/* Where a path leads: the last component, and the folder that holds it. */
typedef struct rt_place {
  int folder;               /* host descriptor; rt_path_done closes it if it is ours */
  bool owns_folder;
  char name[RT_PATH_MAX];   /* for the *at calls; "." for the root itself */
  char guest[RT_PATH_MAX];  /* the guest's absolute path without links and dots; "" where it is not known */
  bool must_be_folder;      /* the path ends in a slash */
} rt_place;

/* Opens the root; ends the process by rt_fail where RECOMP_RT_ROOT is no folder. */
void rt_path_init(void);

/* Resolves a path from the guest's memory, relative to a guest descriptor or G_AT_FDCWD. `follow`: also the last
 * component where it is a symbolic link. The last component need not exist. 0 or a negated errno; 0 needs
 * rt_path_done. Without any host files everything is -ENOENT, with place->guest set. */
int64_t rt_path_resolve(int fd, uint64_t path_addr, bool follow, rt_place *place);
int64_t rt_path_resolve_text(int fd, const char *path, bool follow, rt_place *place);
void rt_path_done(rt_place *place);

/* Whether the guest sees the host's own files: real time without a root. */
bool rt_path_is_host(void);

/* The guest's working directory, NULL with errno where the host's is gone. Changing it: 0 or a negated errno. */
const char *rt_path_cwd(void);
int64_t rt_path_chdir(uint64_t path_addr);
int64_t rt_path_fchdir(int fd);

/* After an execve: where the guest was. */
void rt_path_return_to(const char *path);

#endif
