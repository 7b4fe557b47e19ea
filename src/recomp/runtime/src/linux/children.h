/* Processes that the guest makes: forks of the port. */
#ifndef RT_LINUX_CHILDREN_H
#define RT_LINUX_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>

#include "../thread.h"

/* Makes what all processes of one guest share; once, before the first of them. */
void rt_children_init(void);

/* The next number for a thread or process, without gaps over all processes of the guest. */
int rt_children_new_id(void);

/* Whether this process has children that it has not waited for. */
bool rt_children_any(void);

/* The host's number for a guest process (negative: a group, 0: the own group), or 0. */
int rt_children_host_id(int guest_id);

/* Forks the port. In the parent the child's number, in the child 0, or a negated errno. */
int64_t rt_children_fork(rt_thread *t);

/* In a child that ends: leaves its time to the parent. */
void rt_children_leave_time(void);

#endif
