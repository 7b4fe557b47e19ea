#define _GNU_SOURCE
#include "children.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../clock.h"
#include "../end.h"
#include "../memory.h"
#include "../options.h"
#include "../record.h"
#include "file.h"
#include "process.h"
#include "signals.h"
#include "svc.h"

#define MOST_CHILDREN 4096 /* slots; one is free again when its process was waited for */

/* One page range that all processes of the guest see. */
typedef struct slot {
  _Atomic int host_id; /* 0 = free */
  int guest_id, parent_id;
  uint64_t end_time; /* the child's clock when it ended, units */
} slot;

typedef struct shared {
  _Atomic int next_id;
  int first_id, first_host_id; /* of the first process */
  slot slots[MOST_CHILDREN];
} shared;

static shared *all;
static slot *mine; /* this process' slot; NULL in the first one */
static unsigned alive;
static int shared_fd = -1;

/* A child that ends leaves its time to the parent. */
static void leave_time(void) {
  if (mine) mine->end_time = rt_clock_now();
}

void rt_children_init(int fd, int place) {
  bool fresh = fd < 0;
  shared_fd = fresh ? rt_host_high(memfd_create("children", MFD_CLOEXEC)) : fd;
  if (shared_fd < 0 || (fresh && ftruncate(shared_fd, sizeof *all))) rt_fail("cannot make shared memory: %s", strerror(errno));
  all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
  if (all == MAP_FAILED) rt_fail("cannot share memory between processes: %s", strerror(errno));
  if (fresh) {
    all->first_id = rt_process_id();
    all->first_host_id = getpid();
    atomic_store(&all->next_id, rt_process_id() + 1);
  }
  if (place < 0 || place >= MOST_CHILDREN) return;
  mine = &all->slots[place];
  rt_end_in_child(leave_time);
  for (int i = 0; i < MOST_CHILDREN; i++)
    alive += all->slots[i].host_id > 0 && all->slots[i].parent_id == rt_process_id();
}

void rt_children_hand_over(int *fd, int *place) {
  *fd = shared_fd;
  *place = mine ? (int)(mine - all->slots) : -1;
}

int rt_children_new_id(void) { return atomic_fetch_add(&all->next_id, 1); }

bool rt_children_any(void) { return alive > 0; }

static slot *find(int guest_id) {
  for (int i = 0; i < MOST_CHILDREN; i++)
    if (atomic_load(&all->slots[i].host_id) && all->slots[i].guest_id == guest_id) return &all->slots[i];
  return NULL;
}

static slot *find_host(int host_id) {
  for (int i = 0; i < MOST_CHILDREN; i++)
    if (atomic_load(&all->slots[i].host_id) == host_id) return &all->slots[i];
  return NULL;
}

int rt_children_host_id(int guest_id) {
  if (guest_id == 0) return -getpgrp();
  if (rt_opt.realtime) return guest_id;
  int number = guest_id < 0 ? -guest_id : guest_id, host = 0;
  slot *s = find(number);
  if (s) host = s->host_id;
  else if (number == rt_process_id()) host = getpid();
  else if (number == all->first_id) host = all->first_host_id;
  return guest_id < 0 ? -host : host;
}

int rt_children_guest_id(int host_id) {
  if (rt_opt.realtime) return host_id;
  slot *s = find_host(host_id);
  return s ? s->guest_id : all->first_id;
}

static slot *take_slot(void) {
  for (int i = 0; i < MOST_CHILDREN; i++) {
    int none = 0;
    if (atomic_compare_exchange_strong(&all->slots[i].host_id, &none, -1)) return &all->slots[i];
  }
  return NULL;
}

static void become_child(rt_thread *t, slot *s) {
  mine = s;
  alive = 0;
  rt_end_in_child(leave_time);
  rt_record_forget();
  rt_process_become(rt_opt.realtime ? getpid() : s->guest_id, s->parent_id);
  rt_thread_forget_others(t, rt_process_id());
  rt_signals_in_child(t);
}

int64_t rt_children_fork(rt_thread *t) {
  slot *s = take_slot();
  if (!s) return -EAGAIN;
  s->parent_id = rt_process_id();
  s->guest_id = rt_opt.realtime ? 0 : rt_children_new_id();
  s->end_time = 0;
  alive++;
  rt_signals_apply(t); /* SIGCHLD is to come only while somebody waits */
  pid_t host = fork();
  if (host == 0) {
    become_child(t, s);
    return 0;
  }
  if (host < 0) {
    int error = errno;
    alive--;
    atomic_store(&s->host_id, 0);
    return -error;
  }
  if (rt_opt.realtime) s->guest_id = host;
  atomic_store(&s->host_id, host);
  return s->guest_id;
}

/* A child that was waited for is gone; its end is in the parent's past. */
static int reap(int host_id) {
  slot *s = find_host(host_id);
  if (!s) return host_id;
  int guest_id = s->guest_id;
  if (!rt_opt.realtime) rt_clock_advance(s->end_time);
  atomic_store(&s->host_id, 0);
  alive--;
  return guest_id;
}

static int64_t wait_for(rt_thread *t, int host_id, int options, int *status, struct rusage *usage) {
  for (;;) {
    pid_t done = wait4(host_id, status, options | WNOHANG, usage);
    if (done < 0) return -errno;
    if (done > 0) return WIFEXITED(*status) || WIFSIGNALED(*status) ? reap(done) : find_host(done)->guest_id;
    if (options & WNOHANG) return 0;
    t->for_child = true;
    rt_wait_result result = rt_thread_wait(t, RT_FOREVER, NULL, 0);
    t->for_child = false;
    if (result == RT_INTERRUPTED) return -RT_RESTART;
  }
}

/* WNOHANG, WUNTRACED and WCONTINUED have the host's numbers. */
int64_t rt_svc_wait4(rt_thread *t, const uint64_t *a) {
  int status = 0, pid = (int)a[0];
  struct rusage usage;
  memset(&usage, 0, sizeof usage);
  if (a[2] & ~UINT64_C(0xe000000b)) return -EINVAL;
  int host = pid == -1 ? -1 : pid == 0 ? 0 : rt_children_host_id(pid);
  if (pid != -1 && pid != 0 && !host) return -ECHILD;
  int64_t done = wait_for(t, host, (int)(a[2] & 0xb), &status, &usage);
  if (done <= 0) return done;
  uint64_t out[18] = {0}; /* struct rusage: the guest's CPU time is not measured */
  int32_t guest_status = status;
  if (a[1] && !rt_memory_put(a[1], &guest_status, sizeof guest_status)) return -EFAULT;
  return a[3] && !rt_memory_put(a[3], out, sizeof out) ? -EFAULT : done;
}

/* waitid(which, id, info, options, usage): P_ALL 0, P_PID 1, P_PGID 2. */
int64_t rt_svc_waitid(rt_thread *t, const uint64_t *a) {
  int status = 0;
  struct rusage usage;
  int host = a[0] == 0 ? -1 : rt_children_host_id(a[0] == 1 ? (int)a[1] : -(int)a[1]);
  if (a[0] > 2 || (a[3] & ~UINT64_C(0x0100000f))) return -EINVAL;
  if (a[3] & 0x01000000) return -EINVAL; /* WNOWAIT: the host's wait4 cannot look without taking */
  if (!host) return -ECHILD;
  int options = (a[3] & 1 ? WNOHANG : 0) | (a[3] & 2 ? WUNTRACED : 0) | (a[3] & 8 ? WCONTINUED : 0);
  int64_t done = wait_for(t, host, options, &status, &usage);
  if (done < 0) return done;
  int32_t info[32] = {0};
  if (done > 0) {
    info[0] = G_SIGCHLD;
    info[2] = WIFEXITED(status) ? 1 : WIFSIGNALED(status) ? (WCOREDUMP(status) ? 3 : 2) : WIFSTOPPED(status) ? 5 : 6;
    info[4] = (int32_t)done;
    info[5] = (int32_t)rt_process_uid();
    info[6] = WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? WTERMSIG(status) : WSTOPSIG(status);
  }
  return a[2] && !rt_memory_put(a[2], info, sizeof info) ? -EFAULT : 0;
}
