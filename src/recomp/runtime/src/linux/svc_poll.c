/* Waiting for several descriptors at once: ppoll, pselect6, epoll. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../clock.h"
#include "../memory.h"
#include "file.h"
#include "guest_time.h"
#include "signals.h"
#include "svc.h"

#define MOST 1024

typedef struct watch {
  rt_file *file; /* NULL = no such descriptor */
  short events, ready;
} watch;

static short ready_now(rt_file *f, short events) {
  if (f->kind->poll) return f->kind->poll(f, events);
  return events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

static unsigned look(watch *watches, unsigned count) {
  unsigned ready = 0;
  for (unsigned i = 0; i < count; i++) {
    if (!watches[i].file) continue;
    watches[i].ready = ready_now(watches[i].file, watches[i].events) & (watches[i].events | POLLERR | POLLHUP);
    ready += watches[i].ready != 0;
  }
  return ready;
}

/* Waits until one is ready; how many are, 0 at the deadline, or -RT_RESTART_NO_HANDLER. */
static int64_t wait_for(rt_thread *t, watch *watches, unsigned count, uint64_t deadline) {
  struct pollfd fds[MOST];
  for (;;) {
    unsigned ready = look(watches, count), n = 0;
    if (ready || rt_clock_now() >= deadline) return ready;
    uint64_t until = deadline;
    for (unsigned i = 0; i < count; i++) {
      rt_file *f = watches[i].file;
      if (!f) continue;
      if (f->kind->is_host) fds[n++] = (struct pollfd){f->host_fd, watches[i].events, 0};
      uint64_t at = f->kind->ready_at ? f->kind->ready_at(f, watches[i].events) : RT_FOREVER;
      if (at < until) until = at;
    }
    if (rt_thread_wait(t, until, fds, n) == RT_INTERRUPTED) return -RT_RESTART_NO_HANDLER;
  }
}

/* ppoll and pselect6 wait with another signal mask; it stays until a handler that ended the wait has run. */
static int64_t with_mask(rt_thread *t, uint64_t mask_addr, watch *watches, unsigned count, uint64_t deadline) {
  uint64_t mask;
  if (!mask_addr) return wait_for(t, watches, count, deadline);
  if (!rt_memory_get(&mask, mask_addr, sizeof mask)) return -EFAULT;
  rt_signals_mask_for_wait(t, mask);
  int64_t result = wait_for(t, watches, count, deadline);
  if (result >= 0) rt_signals_unmask_after_wait(t);
  return result < 0 ? -EINTR : result;
}

int64_t rt_svc_ppoll(rt_thread *t, const uint64_t *a) {
  watch watches[MOST];
  unsigned count = (unsigned)a[1], missing = 0;
  uint64_t deadline;
  if (a[1] > MOST) return -EINVAL;
  struct pollfd *fds = rt_memory_at(a[0], count * sizeof *fds, RT_READ | RT_WRITE);
  if (!fds) return -EFAULT;
  int64_t problem = rt_time_deadline(a[2], &deadline);
  if (problem) return problem;
  for (unsigned i = 0; i < count; i++) {
    watches[i] = (watch){fds[i].fd < 0 ? NULL : rt_fd_get((uint64_t)fds[i].fd), fds[i].events, 0};
    missing += fds[i].fd >= 0 && !watches[i].file;
  }
  if (missing) deadline = 0;
  int64_t ready = with_mask(t, a[3], watches, count, deadline);
  if (ready < 0) return ready;
  for (unsigned i = 0; i < count; i++)
    fds[i].revents = fds[i].fd >= 0 && !watches[i].file ? POLLNVAL : watches[i].ready;
  return ready + missing;
}

/* fd_set: 1024 bits. */
static bool bit(const uint64_t *set, unsigned n) { return set[n / 64] >> n % 64 & 1; }

static bool get_set(uint64_t *set, uint64_t addr, unsigned words) {
  memset(set, 0, 128);
  return !addr || rt_memory_get(set, addr, words * 8);
}

static unsigned put_set(uint64_t addr, const watch *watches, const int *fds, unsigned count, unsigned words, short want,
                        short ready) {
  uint64_t set[16] = {0};
  unsigned n = 0;
  for (unsigned i = 0; i < count; i++)
    if ((watches[i].events & want) && (watches[i].ready & ready)) set[fds[i] / 64] |= UINT64_C(1) << fds[i] % 64, n++;
  if (addr) rt_memory_put(addr, set, words * 8);
  return addr ? n : 0;
}

int64_t rt_svc_pselect6(rt_thread *t, const uint64_t *a) {
  uint64_t read[16], write[16], except[16], deadline, mask[2] = {0, 0};
  watch watches[MOST];
  int fds[MOST];
  unsigned limit = (unsigned)a[0], count = 0;
  if ((int)limit < 0) return -EINVAL;
  if (limit > MOST) limit = MOST;
  unsigned words = (limit + 63) / 64;
  if (!get_set(read, a[1], words) || !get_set(write, a[2], words) || !get_set(except, a[3], words)) return -EFAULT;
  if (a[5] && !rt_memory_get(mask, a[5], sizeof mask)) return -EFAULT;
  int64_t problem = rt_time_deadline(a[4], &deadline);
  if (problem) return problem;
  for (unsigned fd = 0; fd < limit; fd++) {
    short events = (bit(read, fd) ? POLLIN : 0) | (bit(write, fd) ? POLLOUT : 0) | (bit(except, fd) ? POLLPRI : 0);
    if (!events) continue;
    if (!rt_fd_get(fd)) return -EBADF;
    fds[count] = (int)fd;
    watches[count++] = (watch){rt_fd_get(fd), events, 0};
  }
  int64_t ready = with_mask(t, mask[0], watches, count, deadline);
  if (ready < 0) return ready;
  return put_set(a[1], watches, fds, count, words, POLLIN, POLLIN | POLLHUP | POLLERR) +
         put_set(a[2], watches, fds, count, words, POLLOUT, POLLOUT | POLLERR) +
         put_set(a[3], watches, fds, count, words, POLLPRI, POLLPRI);
}

/* epoll: a list of descriptors with their data. Level-triggered by what is ready now; EPOLLET reports a change of
 * readiness once. */

#define EPOLLET UINT32_C(0x80000000)
#define EPOLLONESHOT UINT32_C(0x40000000)

typedef struct interest {
  struct interest *next;
  rt_file *file;
  uint32_t fd, events;
  uint64_t data;
  short told; /* for EPOLLET: what was reported last */
} interest;

/* struct epoll_event of AArch64: 16 bytes, not packed. */
typedef struct guest_event {
  uint32_t events, pad;
  uint64_t data;
} guest_event;

static short epoll_poll(rt_file *f, short events) {
  for (interest *i = f->state; i; i = i->next)
    if (ready_now(i->file, (short)i->events)) return events & POLLIN;
  return 0;
}

static void epoll_close(rt_file *f) {
  for (interest *i = f->state, *next; i; i = next) {
    next = i->next;
    free(i);
  }
}

static const rt_file_kind epoll_kind = {.name = "epoll", .poll = epoll_poll, .close = epoll_close, .mode = S_IFREG | 0600};

int64_t rt_svc_epoll_create1(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_file *f = rt_file_new(&epoll_kind, G_O_RDWR, -1, NULL);
  return f ? rt_fd_add(f, 0, a[0] & G_O_CLOEXEC) : -ENOMEM;
}

static interest **find(rt_file *epoll, const rt_file *f, uint32_t fd) {
  interest **at = (interest **)&epoll->state;
  while (*at && ((*at)->fd != fd || (*at)->file != f)) at = &(*at)->next;
  return at;
}

int64_t rt_svc_epoll_ctl(rt_thread *t, const uint64_t *a) {
  (void)t;
  rt_file *epoll = rt_fd_get(a[0]), *f = rt_fd_get(a[2]);
  guest_event event = {0};
  if (!epoll || !f) return -EBADF;
  if (epoll->kind != &epoll_kind || epoll == f) return -EINVAL;
  if (a[1] != 2 && !rt_memory_get(&event, a[3], sizeof event)) return -EFAULT;
  interest **at = find(epoll, f, (uint32_t)a[2]);
  if (a[1] == 1) { /* EPOLL_CTL_ADD */
    if (*at) return -EEXIST;
    if (!f->kind->poll) return -EPERM;
    *at = calloc(1, sizeof **at);
    if (!*at) return -ENOMEM;
    **at = (interest){NULL, f, (uint32_t)a[2], event.events, event.data, 0};
    return 0;
  }
  if (!*at) return -ENOENT;
  interest *i = *at;
  if (a[1] == 2) { /* EPOLL_CTL_DEL */
    *at = i->next;
    free(i);
    return 0;
  }
  if (a[1] != 3) return -EINVAL;
  i->events = event.events; /* EPOLL_CTL_MOD */
  i->data = event.data;
  i->told = 0;
  return 0;
}

/* A descriptor that was closed leaves the list by itself. */
static void drop_closed(rt_file *epoll) {
  for (interest **at = (interest **)&epoll->state; *at;) {
    interest *i = *at;
    if (rt_fd_get(i->fd) == i->file) {
      at = &i->next;
      continue;
    }
    *at = i->next;
    free(i);
  }
}

static int64_t report(rt_file *epoll, guest_event *out, unsigned most) {
  unsigned n = 0;
  for (interest *i = epoll->state; i && n < most; i = i->next) {
    short wanted = (short)(i->events & 0x3fff);
    short ready = wanted ? ready_now(i->file, wanted) & (wanted | POLLERR | POLLHUP) : 0;
    short fresh = i->events & EPOLLET ? ready & ~i->told : ready;
    i->told = ready;
    if (!fresh) continue;
    out[n++] = (guest_event){(uint32_t)(uint16_t)ready, 0, i->data};
    if (i->events & EPOLLONESHOT) i->events = 0;
  }
  return n;
}

static unsigned collect(rt_file *epoll, watch *watches) {
  unsigned n = 0;
  for (interest *i = epoll->state; i && n < MOST; i = i->next) {
    short wanted = (short)(i->events & 0x3fff);
    if (wanted) watches[n++] = (watch){i->file, wanted & ~(i->events & EPOLLET ? i->told : 0), 0};
  }
  return n;
}

int64_t rt_svc_epoll_pwait(rt_thread *t, const uint64_t *a) {
  rt_file *epoll = rt_fd_get(a[0]);
  watch watches[MOST];
  unsigned most = (int)a[2] > MOST ? MOST : (unsigned)a[2];
  if (!epoll) return -EBADF;
  if (epoll->kind != &epoll_kind || (int)a[2] <= 0) return -EINVAL;
  guest_event *out = rt_memory_at(a[1], most * sizeof *out, RT_WRITE);
  if (!out) return -EFAULT;
  int32_t ms = (int32_t)a[3];
  uint64_t deadline = ms < 0 ? RT_FOREVER : rt_clock_after(rt_clock_now(), (uint64_t)ms * 1000000);
  for (;;) {
    drop_closed(epoll);
    int64_t n = report(epoll, out, most);
    if (n || rt_clock_now() >= deadline) return n;
    n = with_mask(t, a[4], watches, collect(epoll, watches), deadline);
    if (n < 0) return -EINTR;
  }
}
