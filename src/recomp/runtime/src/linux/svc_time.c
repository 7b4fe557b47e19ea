/* Clocks, sleeping, waiting for descriptors' times. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "../clock.h"
#include "../memory.h"
#include "../options.h"
#include "guest_time.h"
#include "svc.h"

#define NS_PER_SECOND UINT64_C(1000000000)

bool rt_time_get(uint64_t addr, uint64_t *ns, int64_t *problem) {
  int64_t ts[2];
  *problem = !rt_memory_get(ts, addr, sizeof ts) ? -EFAULT
             : ts[0] < 0 || ts[1] < 0 || ts[1] >= (int64_t)NS_PER_SECOND ? -EINVAL
                                                                         : 0;
  if (*problem) return false;
  *ns = (uint64_t)ts[0] >= UINT64_MAX / NS_PER_SECOND ? UINT64_MAX : (uint64_t)ts[0] * NS_PER_SECOND + (uint64_t)ts[1];
  return true;
}

bool rt_time_put(uint64_t addr, uint64_t ns) {
  int64_t ts[2] = {(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND)};
  return rt_memory_put(addr, ts, sizeof ts);
}

int64_t rt_time_deadline(uint64_t addr, uint64_t *deadline) {
  *deadline = RT_FOREVER;
  uint64_t ns;
  int64_t problem;
  if (!addr) return 0;
  if (!rt_time_get(addr, &ns, &problem)) return problem;
  *deadline = rt_clock_after(rt_clock_now(), ns);
  return 0;
}

uint64_t rt_time_absolute(int clock, uint64_t ns) {
  uint64_t now = rt_time_is_wall(clock) ? rt_clock_realtime_ns() : rt_clock_monotonic_ns();
  return ns <= now ? 0 : rt_clock_after(rt_clock_now(), ns - now);
}

/* CLOCK_REALTIME, _COARSE, _ALARM, TAI: the wall clock; the others count from the boot or of the guest itself. */
bool rt_time_is_wall(int clock) { return clock == 0 || clock == 5 || clock == 8 || clock == 11; }

static bool is_clock(int clock) { return clock >= 0 && clock <= 11 && clock != 10; }

/* CPU clocks (2, 3): the guest's time as well, for it is never waiting for anybody else. */
static uint64_t clock_ns(int clock) {
  if (rt_time_is_wall(clock)) return rt_clock_realtime_ns();
  return clock == 2 || clock == 3 ? rt_clock_now() / RT_UNITS_PER_NS : rt_clock_monotonic_ns();
}

int64_t rt_svc_clock_gettime(rt_thread *t, const uint64_t *a) {
  (void)t;
  int clock = (int)a[0] < 0 ? 2 : (int)a[0]; /* negative: the CPU clock of a process or thread */
  if (!is_clock(clock)) return -EINVAL;
  rt_clock_was_read();
  return rt_time_put(a[1], clock_ns(clock)) ? 0 : -EFAULT;
}

int64_t rt_svc_clock_getres(rt_thread *t, const uint64_t *a) {
  (void)t;
  if (!is_clock((int)a[0])) return -EINVAL;
  return !a[1] || rt_time_put(a[1], 1) ? 0 : -EFAULT;
}

int64_t rt_svc_gettimeofday(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_clock_was_read();
  uint64_t us = rt_clock_realtime_ns() / 1000;
  int64_t tv[2] = {(int64_t)(us / 1000000), (int64_t)(us % 1000000)};
  int32_t zone[2] = {0, 0};
  if (a[0] && !rt_memory_put(a[0], tv, sizeof tv)) return -EFAULT;
  return a[1] && !rt_memory_put(a[1], zone, sizeof zone) ? -EFAULT : 0;
}

/* Sleeps; what is left of a relative sleep that a signal cut short goes to `left_addr`. */
static int64_t sleep_until(rt_thread *t, uint64_t deadline, uint64_t left_addr) {
  if (rt_thread_wait(t, deadline, NULL, 0) != RT_INTERRUPTED) return 0;
  uint64_t now = rt_clock_now(), left = deadline > now ? (deadline - now) / RT_UNITS_PER_NS : 0;
  if (left_addr && !rt_time_put(left_addr, left)) return -EFAULT;
  return -RT_RESTART_NO_HANDLER;
}

int64_t rt_svc_nanosleep(rt_thread *t, const uint64_t *a) {
  uint64_t ns;
  int64_t problem;
  if (!rt_time_get(a[0], &ns, &problem)) return problem;
  return sleep_until(t, rt_clock_after(rt_clock_now(), ns), a[1]);
}

int64_t rt_svc_clock_nanosleep(rt_thread *t, const uint64_t *a) {
  uint64_t ns;
  int64_t problem;
  if (!is_clock((int)a[0])) return -EINVAL;
  if (!rt_time_get(a[2], &ns, &problem)) return problem;
  bool absolute = a[1] & 1; /* TIMER_ABSTIME */
  uint64_t deadline = absolute ? rt_time_absolute((int)a[0], ns) : rt_clock_after(rt_clock_now(), ns);
  return sleep_until(t, deadline, absolute ? 0 : a[3]);
}

/* In clock ticks of 1/100 s; user time only. */
int64_t rt_svc_times(rt_thread *t, const uint64_t *a) {
  (void)t;
  int64_t ticks = (int64_t)(rt_clock_now() / (RT_UNITS_PER_SECOND / 100));
  int64_t out[4] = {ticks, 0, 0, 0};
  if (a[0] && !rt_memory_put(a[0], out, sizeof out)) return -EFAULT;
  return (int64_t)(rt_clock_monotonic_ns() / 10000000);
}
