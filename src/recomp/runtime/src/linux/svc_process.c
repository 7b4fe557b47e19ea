/* Who the guest is, what it may use, how it ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../clock.h"
#include "../end.h"
#include "../memory.h"
#include "../options.h"
#include "../random.h"
#include "children.h"
#include "file.h"
#include "process.h"
#include "svc.h"

int64_t rt_svc_exit_group(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_end(RT_END_EXIT, (int)a[0], (rt_end_place){0, 0}, "exited");
}

int64_t rt_svc_getpid(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return rt_process_id();
}

int64_t rt_svc_getppid(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return rt_process_parent();
}

int64_t rt_svc_getuid(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return rt_process_uid();
}

int64_t rt_svc_getgid(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return rt_process_gid();
}

/* Real, effective and saved: one and the same. */
static int64_t put_three(const uint64_t *a, uint32_t value) {
  for (int i = 0; i < 3; i++)
    if (!rt_memory_put(a[i], &value, sizeof value)) return -EFAULT;
  return 0;
}

int64_t rt_svc_getresuid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return put_three(a, rt_process_uid());
}

int64_t rt_svc_getresgid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return put_three(a, rt_process_gid());
}

/* A guest may become who it is. */
static int64_t become(const uint64_t *a, int count, uint32_t is) {
  for (int i = 0; i < count; i++)
    if ((uint32_t)a[i] != UINT32_MAX && (uint32_t)a[i] != is) return -EPERM;
  return 0;
}

int64_t rt_svc_setuid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return become(a, 1, rt_process_uid());
}

int64_t rt_svc_setgid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return become(a, 1, rt_process_gid());
}

int64_t rt_svc_setreuid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return become(a, 2, rt_process_uid());
}

int64_t rt_svc_setregid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return become(a, 2, rt_process_gid());
}

int64_t rt_svc_setresuid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return become(a, 3, rt_process_uid());
}

int64_t rt_svc_setresgid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return become(a, 3, rt_process_gid());
}

int64_t rt_svc_getgroups(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint32_t group = rt_process_gid();
  if ((int)a[0] < 0) return -EINVAL;
  if (a[0] == 0) return 1;
  return rt_memory_put(a[1], &group, sizeof group) ? 1 : -EFAULT;
}

/* Sessions and groups are the host's, under the guest's numbers. */
static pid_t host_of(uint64_t id) { return id ? rt_children_host_id((int)id) : 0; }

static int64_t guest_of(pid_t host) { return host < 0 ? -errno : rt_children_guest_id(host); }

int64_t rt_svc_getpgid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return a[0] && !host_of(a[0]) ? -ESRCH : guest_of(getpgid(host_of(a[0])));
}

int64_t rt_svc_setpgid(rt_thread *t, const uint64_t *a) {
  (void)t;
  if ((int)a[0] < 0 || (int)a[1] < 0) return -EINVAL;
  if ((a[0] && !host_of(a[0])) || (a[1] && !host_of(a[1]))) return -ESRCH;
  return rt_host_result(setpgid(host_of(a[0]), host_of(a[1])));
}

int64_t rt_svc_getsid(rt_thread *t, const uint64_t *a) {
  (void)t;
  return a[0] && !host_of(a[0]) ? -ESRCH : guest_of(getsid(host_of(a[0])));
}

int64_t rt_svc_setsid(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return guest_of(setsid());
}

int64_t rt_svc_uname(rt_thread *t, const uint64_t *a) {
  (void)t;
  char names[6][65] = {"Linux", "recomp", "6.1.0", "#1 SMP", "aarch64", "(none)"};
  return rt_memory_put(a[0], names, sizeof names) ? 0 : -EFAULT;
}

int64_t rt_svc_getrandom(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t size = a[1] < 0x1ffffff ? a[1] : 0x1ffffff;
  void *to = rt_memory_at(a[0], size, RT_WRITE);
  if (!to) return -EFAULT;
  if (a[2] & ~UINT64_C(7)) return -EINVAL;
  rt_random_fill(to, size);
  return (int64_t)size;
}

/* What a guest may ask for; setting is remembered, and only the number of open files was ever a real bound. */
static uint64_t limits[16][2];

static void make_limits(void) {
  static bool made;
  if (made) return;
  made = true;
  for (int i = 0; i < 16; i++) limits[i][0] = limits[i][1] = UINT64_MAX;
  limits[3][0] = RT_STACK_SIZE;               /* RLIMIT_STACK */
  limits[4][0] = 0;                           /* RLIMIT_CORE */
  limits[6][0] = limits[6][1] = 32768;        /* RLIMIT_NPROC */
  limits[7][0] = limits[7][1] = RT_FD_LIMIT;  /* RLIMIT_NOFILE */
}

int64_t rt_svc_prlimit64(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t fresh[2];
  make_limits();
  if (a[1] > 15) return -EINVAL;
  if (a[0] && (int)a[0] != rt_process_id()) return -ESRCH;
  if (a[2] && !rt_memory_get(fresh, a[2], sizeof fresh)) return -EFAULT;
  if (a[2] && fresh[0] > fresh[1]) return -EINVAL;
  if (a[2] && fresh[1] > limits[a[1]][1]) return -EPERM;
  if (a[3] && !rt_memory_put(a[3], limits[a[1]], 16)) return -EFAULT;
  if (a[2]) memcpy(limits[a[1]], fresh, sizeof fresh);
  return 0;
}

int64_t rt_svc_getrlimit(rt_thread *t, const uint64_t *a) {
  return rt_svc_prlimit64(t, (const uint64_t[]){0, a[0], 0, a[1]});
}

int64_t rt_svc_setrlimit(rt_thread *t, const uint64_t *a) {
  return rt_svc_prlimit64(t, (const uint64_t[]){0, a[0], a[1], 0});
}

/* struct rusage: user time is the guest's time, the rest is zero. */
int64_t rt_svc_getrusage(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t us = (int)a[0] == 0 ? rt_clock_now() / RT_UNITS_PER_NS / 1000 : 0;
  uint64_t out[18] = {us / 1000000, us % 1000000};
  if ((int)a[0] < -1 || (int)a[0] > 1) return -EINVAL;
  return rt_memory_put(a[1], out, sizeof out) ? 0 : -EFAULT;
}

int64_t rt_svc_sysinfo(rt_thread *t, const uint64_t *a) {
  (void)t;
  struct {
    int64_t uptime;
    uint64_t loads[3], total_ram, free_ram, shared, buffers, total_swap, free_swap;
    uint16_t processes, pad;
    uint32_t pad2;
    uint64_t total_high, free_high;
    uint32_t unit, pad3;
  } out = {.uptime = (int64_t)(rt_clock_monotonic_ns() / 1000000000), .total_ram = RT_SPACE, .free_ram = RT_SPACE / 4 * 3,
           .processes = 1, .unit = 1};
  return rt_memory_put(a[0], &out, sizeof out) ? 0 : -EFAULT;
}

/* One CPU. */
int64_t rt_svc_sched_getaffinity(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t mask = 1;
  if (a[1] < 8 || a[1] % 8) return -EINVAL;
  return rt_memory_put(a[2], &mask, sizeof mask) ? 8 : -EFAULT;
}

int64_t rt_svc_getcpu(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint32_t zero = 0;
  if (a[0] && !rt_memory_put(a[0], &zero, 4)) return -EFAULT;
  return a[1] && !rt_memory_put(a[1], &zero, 4) ? -EFAULT : 0;
}

/* Scheduling: SCHED_OTHER at priority 0 is all there is. */
int64_t rt_svc_sched_getparam(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint32_t priority = 0;
  return rt_memory_put(a[1], &priority, sizeof priority) ? 0 : -EFAULT;
}

int64_t rt_svc_sched_accept(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return 0;
}

int64_t rt_svc_sched_priority(rt_thread *t, const uint64_t *a) {
  (void)t;
  return a[0] == 1 || a[0] == 2 ? 1 : 0; /* SCHED_FIFO, SCHED_RR: from 1 to 1 */
}

/* getpriority answers 20 - nice. */
int64_t rt_svc_getpriority(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return 20;
}

int64_t rt_svc_prctl(rt_thread *t, const uint64_t *a) {
  switch (a[0]) {
    case 15: { /* PR_SET_NAME */
      const char *name = rt_memory_at(a[1], 1, RT_READ);
      for (unsigned i = 0; name && i < 15; i++) {
        if (!(name = rt_memory_at(a[1] + i, 1, RT_READ))) return -EFAULT;
        t->name[i] = *name;
        if (!*name) break;
      }
      return name ? 0 : -EFAULT;
    }
    case 16: return rt_memory_put(a[1], t->name, sizeof t->name) ? 0 : -EFAULT; /* PR_GET_NAME */
    case 3: return 1;                                                           /* PR_GET_DUMPABLE */
    case 1:                                                                     /* PR_SET_PDEATHSIG */
    case 4:                                                                     /* PR_SET_DUMPABLE */
    case 29:                                                                    /* PR_SET_TIMERSLACK */
    case 36:                                                                    /* PR_SET_CHILD_SUBREAPER */
    case 38: return 0;                                                          /* PR_SET_NO_NEW_PRIVS */
    default: return -EINVAL;
  }
}

/* Threads of a guest see each other's stores without help: one runs at a time, or the host's barriers hold. */
int64_t rt_svc_membarrier(rt_thread *t, const uint64_t *a) {
  (void)t;
  if (a[0] == 0) return 0x1f;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return 0;
}

int64_t rt_svc_personality(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return 0;
}

/* Extended attributes: there are none. */
int64_t rt_svc_no_attributes(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return -EOPNOTSUPP;
}

/* What C libraries try before they fall back on older calls. */
int64_t rt_svc_too_new(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return -ENOSYS;
}

int64_t rt_svc_not_permitted(rt_thread *t, const uint64_t *a) {
  (void)t, (void)a;
  return -EPERM;
}
