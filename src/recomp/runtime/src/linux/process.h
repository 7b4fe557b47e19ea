/* Who the guest is: numbers, names, working directory. Fixed in deterministic mode, the host's in real time. */
#ifndef RT_LINUX_PROCESS_H
#define RT_LINUX_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../thread.h"

/* Keeps the guest's arguments: strings that live as long as the process. */
void rt_process_init(int argc, char **argv);

int rt_process_id(void);
int rt_process_parent(void);

/* In a forked child, or after an execve: who it is. */
void rt_process_become(int guest_id, int guest_parent);

uint32_t rt_process_uid(void);
uint32_t rt_process_gid(void);
const char *rt_process_name(void);

/* The guest's arguments, each with its terminator, as /proc/self/cmdline shows them. */
const char *rt_process_cmdline(size_t *size);

/* The environment it was started with, the same way; without the runtime's own variables. */
const char *rt_process_environment(size_t *size);

/* A number for a new thread or child. */
int rt_process_new_id(void);

/* Whether there are children that nobody has waited for yet. */
bool rt_process_has_children(void);

/* kill() for another process or group than the guest's own: 0 or a negated errno. */
int64_t rt_process_kill(int pid, int number);

/* Where /proc/self/exe leads. */
const char *rt_process_exe(void);

/* The host's owner of a file as the guest sees it: the port's own user is the guest's. */
uint32_t rt_process_see_uid(uint32_t host_uid);
uint32_t rt_process_see_gid(uint32_t host_gid);

#endif
