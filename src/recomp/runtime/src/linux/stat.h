/* File metadata in the guest's layout. */
#ifndef RT_LINUX_STAT_H
#define RT_LINUX_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Of a guest descriptor: 0 or a negated errno. */
int64_t rt_stat_fd(uint64_t fd, struct stat *s);

/* Of a virtual file; false where there is none of that path. */
bool rt_stat_virtual(const char *path, struct stat *s);

/* Writes struct stat (asm-generic, 128 bytes) or struct statx to guest memory: 0 or -EFAULT. */
int64_t rt_stat_put(uint64_t addr, const struct stat *s);
int64_t rt_stat_put_extended(uint64_t addr, const struct stat *s);

/* Reads utimensat's two times; a null address and UTIME_NOW mean the guest's present. False = EFAULT. */
bool rt_stat_get_times(struct timespec times[2], uint64_t addr);

#endif
