/* Times in guest memory (struct timespec: two 64-bit words). */
#ifndef RT_LINUX_GUEST_TIME_H
#define RT_LINUX_GUEST_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Reads a timespec as nanoseconds; false with *problem = -EFAULT or -EINVAL. */
bool rt_time_get(uint64_t addr, uint64_t *ns, int64_t *problem);
bool rt_time_put(uint64_t addr, uint64_t ns);

/* When a relative timeout at `addr` is over, RT_FOREVER where it is null. 0 or a negated errno. */
int64_t rt_time_deadline(uint64_t addr, uint64_t *deadline);

/* When a guest's clock shows `ns`. */
uint64_t rt_time_absolute(int clock, uint64_t ns);
bool rt_time_is_wall(int clock);

#endif
