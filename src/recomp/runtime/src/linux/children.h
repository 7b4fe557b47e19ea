/* Processes that the guest makes: forks of the port. */
#ifndef RT_LINUX_CHILDREN_H
#define RT_LINUX_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>

#include "../thread.h"

/* Makes what all processes of one guest share (-1), or takes it over from before an execve: its host descriptor and
 * this process' place in it (-1 = the first process). Once, before anything else here. */
void rt_children_init(int shared_fd, int place);

/* What rt_children_init needs after an execve. */
void rt_children_hand_over(int *shared_fd, int *place);

/* The next number for a thread or process, without gaps over all processes of the guest. */
int rt_children_new_id(void);

/* Whether this process has children that it has not waited for. */
bool rt_children_any(void);

/* The host's number for a process of the guest (negative: for its group; 0: for the own group), 0 where there is none;
 * and the guest's number for a process of the host, the first process' for one that is not the guest's. */
int rt_children_host_id(int guest_id);
int rt_children_guest_id(int host_id);

/* Forks the port. In the parent the child's number, in the child 0, or a negated errno. */
int64_t rt_children_fork(rt_thread *t);

#endif
