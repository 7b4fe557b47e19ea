/* The initial stack. */
#ifndef RT_LINUX_STACK_H
#define RT_LINUX_STACK_H

#include <stddef.h>
#include <stdint.h>

/* Maps the initial stack. */
void rt_stack_init(void);

/* Lays out argc, argv, envp, the auxiliary vector and what they point to at the top of the guest's stack, as the
 * kernel does; the initial stack pointer. RECOMP_RT_* variables are left out. Ends the process by rt_fail where they
 * do not fit. */
uint64_t rt_stack_build(int argc, char **argv, char **envp);

/* The auxiliary vector that was laid out, as /proc/self/auxv shows it. */
const void *rt_stack_auxiliary(size_t *size);

#endif
