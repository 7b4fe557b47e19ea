/* Open files of the guest: descriptor numbers → shared open file descriptions → kinds of files. */
#ifndef RT_LINUX_FILE_H
#define RT_LINUX_FILE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "../thread.h"

/* Open flags of AArch64 Linux where they differ from the host's or are looked at here. */
#define G_O_ACCMODE 3
#define G_O_WRONLY 1
#define G_O_RDWR 2
#define G_O_CREAT 0100
#define G_O_EXCL 0200
#define G_O_NOCTTY 0400
#define G_O_TRUNC 01000
#define G_O_APPEND 02000
#define G_O_NONBLOCK 04000
#define G_O_DSYNC 010000
#define G_O_DIRECTORY 040000
#define G_O_NOFOLLOW 0100000
#define G_O_DIRECT 0200000
#define G_O_LARGEFILE 0400000
#define G_O_NOATIME 01000000
#define G_O_CLOEXEC 02000000
#define G_O_SYNC 04010000
#define G_O_PATH 010000000
#define G_O_TMPFILE 020040000

#define RT_FD_LIMIT 1024

typedef struct rt_file rt_file;

/* What a file does. Results are byte counts or values, or negated errnos; NULL members fail as a kernel file would.
 * Buffers are host memory that has been checked. */
typedef struct rt_file_kind {
  const char *name;
  bool is_host; /* host_fd is a descriptor of the same nature */
  int64_t (*read)(rt_thread *t, rt_file *f, void *to, uint64_t size);
  int64_t (*write)(rt_thread *t, rt_file *f, const void *from, uint64_t size);
  int64_t (*seek)(rt_file *f, int64_t offset, int whence);
  int64_t (*ioctl)(rt_thread *t, rt_file *f, uint32_t request, uint64_t argument);
  int64_t (*map)(rt_file *f, uint32_t addr, uint64_t size, int access, bool shared, uint64_t offset);
  short (*poll)(rt_file *f, short events);                /* what is ready of `events`; NULL = all */
  uint64_t (*ready_at)(rt_file *f, short events);         /* when that may change, units; NULL = never */
  void (*close)(rt_file *f);
  uint32_t mode;   /* st_mode of a virtual file */
  uint64_t device; /* st_rdev */
} rt_file_kind;

struct rt_file {
  const rt_file_kind *kind;
  int references;
  int flags;      /* guest O_* */
  int host_fd;    /* -1 = none */
  char *path;     /* the guest's absolute path, or NULL */
  uint64_t position; /* kinds with contents of their own */
  void *state;    /* the kind's */
};

/* A new description with one reference; takes over `path` (malloc) and `state`. NULL = out of memory. */
rt_file *rt_file_new(const rt_file_kind *kind, int flags, int host_fd, char *path);
void rt_file_hold(rt_file *f);
void rt_file_release(rt_file *f);

/* The description behind a guest descriptor, or NULL (EBADF). */
rt_file *rt_fd_get(uint64_t fd);

/* Gives a description the lowest free descriptor >= `from`; takes over its reference. The descriptor, or -EMFILE (and
 * the reference is released). */
int64_t rt_fd_add(rt_file *f, int from, bool cloexec);

/* The same for a certain descriptor, which is closed first if open. */
int64_t rt_fd_put(rt_file *f, int fd, bool cloexec);

int64_t rt_fd_close(uint64_t fd);
bool rt_fd_cloexec(uint64_t fd);
void rt_fd_set_cloexec(uint64_t fd, bool cloexec);

/* Descriptors 0, 1 and 2 become the port's own standard streams, if open. */
void rt_fd_init(void);

/* Each open descriptor below RT_FD_LIMIT, in order: the first one >= fd, or -1. */
int rt_fd_next(int fd);

/* A file of the host; the descriptor is taken over. */
extern const rt_file_kind rt_host_kind;
rt_file *rt_host_file(int host_fd, int flags, char *path);

/* Moves a fresh host descriptor out of the low numbers, so that the guest's standard streams stay what they are. */
int rt_host_high(int host_fd);

/* Waits until a file is ready for `events`, or returns at once when it is O_NONBLOCK: 0, -EAGAIN or -RT_RESTART. */
int64_t rt_file_wait(rt_thread *t, rt_file *f, short events);

/* Reads or writes checked pieces, one after the other until one comes up short. */
int64_t rt_file_readv(rt_thread *t, rt_file *f, const struct iovec *pieces, unsigned count);
int64_t rt_file_writev(rt_thread *t, rt_file *f, const struct iovec *pieces, unsigned count);

/* The guest descriptor that a path such as /dev/fd/3, /proc/self/fd/3 or /dev/stdin stands for, or -1. */
int rt_fd_named(const char *path);

/* Virtual devices and files by their guest path; NULL with *error = 0 where there is none of that name. */
rt_file *rt_virtual_open(const char *path, int flags, int *error);
bool rt_virtual_stat(const char *path, uint32_t *mode, uint64_t *device);

#endif
