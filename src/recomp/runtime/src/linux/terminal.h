/* Requests to a terminal, whose numbers and structures are the same for guest and host. */
#ifndef RT_LINUX_TERMINAL_H
#define RT_LINUX_TERMINAL_H

#include "file.h"

/* TCGETS and friends, TIOCGWINSZ, TIOCGPGRP, FIONREAD, FIONBIO; anything else is ENOTTY. */
int64_t rt_host_ioctl(rt_thread *t, rt_file *f, uint32_t request, uint64_t argument);

#endif
