#define _GNU_SOURCE
#include "terminal.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "../memory.h"
#include "children.h"
#include "svc.h"

/* asm-generic/ioctls.h: what AArch64 and x86-64 share. Size 0: the argument is a number. */
static const struct {
  uint32_t request;
  uint8_t size;
  uint8_t access;
} known[] = {
    {0x5401, 36, RT_WRITE}, /* TCGETS: struct termios of the kernel */
    {0x5402, 36, RT_READ},  /* TCSETS */
    {0x5403, 36, RT_READ},  /* TCSETSW */
    {0x5404, 36, RT_READ},  /* TCSETSF */
    {0x5409, 0, 0},         /* TCSBRK */
    {0x540a, 0, 0},         /* TCXONC */
    {0x540b, 0, 0},         /* TCFLSH */
    {0x540e, 0, 0},         /* TIOCSCTTY */
    {0x5411, 4, RT_WRITE},  /* TIOCOUTQ */
    {0x5413, 8, RT_WRITE},  /* TIOCGWINSZ */
    {0x5414, 8, RT_READ},   /* TIOCSWINSZ */
    {0x541b, 4, RT_WRITE},  /* FIONREAD */
    {0x5422, 0, 0},         /* TIOCNOTTY */
    {0x80045430, 4, RT_WRITE}, /* TIOCGPTN */
    {0x40045431, 4, RT_READ},  /* TIOCSPTLCK */
};

static int64_t set_nonblocking(rt_file *f, uint64_t argument) {
  int32_t on;
  if (!rt_memory_get(&on, argument, sizeof on)) return -EFAULT;
  f->flags = on ? f->flags | G_O_NONBLOCK : f->flags & ~G_O_NONBLOCK;
  return rt_host_result(ioctl(f->host_fd, FIONBIO, &on));
}

/* TIOCGPGRP, TIOCSPGRP, TIOCGSID: the host's processes under the guest's numbers. */
static int64_t ask_group(rt_file *f, uint32_t request, uint64_t argument) {
  int32_t id = 0;
  if (request == 0x5410) {
    if (!rt_memory_get(&id, argument, sizeof id)) return -EFAULT;
    pid_t host = rt_children_host_id(id);
    return host > 0 ? rt_host_result(ioctl(f->host_fd, TIOCSPGRP, &host)) : -ESRCH;
  }
  pid_t host;
  if (ioctl(f->host_fd, request == 0x540f ? TIOCGPGRP : TIOCGSID, &host)) return -errno;
  id = rt_children_guest_id(host);
  return rt_memory_put(argument, &id, sizeof id) ? 0 : -EFAULT;
}

int64_t rt_host_ioctl(rt_thread *t, rt_file *f, uint32_t request, uint64_t argument) {
  (void)t;
  if (request == 0x5421) return set_nonblocking(f, argument);
  if (request == 0x540f || request == 0x5410 || request == 0x5429) return ask_group(f, request, argument);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (known[i].request != request) continue;
    if (!known[i].size) return rt_host_result(ioctl(f->host_fd, request, (unsigned long)(uint32_t)argument));
    void *at = rt_memory_at(argument, known[i].size, known[i].access);
    return at ? rt_host_result(ioctl(f->host_fd, request, at)) : -EFAULT;
  }
  return -ENOTTY;
}
