/* What a guest keeps over an execve of itself: the port is started anew and told by RECOMP_RT_STATE where it is. */
#ifndef RT_LINUX_HANDOVER_H
#define RT_LINUX_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "../thread.h"

typedef struct rt_handover {
  int id, parent;     /* guest process numbers; 0 = not handed over */
  int shared_fd, place; /* rt_children_init */
  uint64_t now;       /* units */
  uint64_t blocked, ignored;
} rt_handover;

/* Writes the state of this process for its successor; the host descriptor that holds it, or a negated errno. */
int64_t rt_handover_write(const rt_thread *t);

/* At the start: opens the guest's descriptors, from a predecessor's state or as the host has them. All zero in the
 * latter case. Ends the process by rt_fail where the state is malformed. */
rt_handover rt_handover_read(void);

#endif
