/* The stack frame of a signal handler, as the AArch64 kernel lays it out (arch/arm64/kernel/signal.c). */
#ifndef RT_LINUX_SIGFRAME_H
#define RT_LINUX_SIGFRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "../thread.h"

/* siginfo_t: 128 bytes; what of it is ever set. */
typedef struct rt_siginfo {
  int32_t number, error, code, pad;
  union {
    struct {
      int32_t pid;
      uint32_t uid;
      uint64_t value;
    };
    uint64_t addr; /* of a fault */
  };
  uint8_t rest[96];
} rt_siginfo;

/* Puts a frame below `sp` (an address in guest memory) that goes on at `pc` with the registers of t->cpu, and points
 * the registers x0-x2, x29, x30 and sp at it. False = the stack is not writable. */
bool rt_sigframe_push(rt_thread *t, uint64_t sp, uint64_t pc, const rt_siginfo *info, uint64_t mask);

/* Takes the frame at sp back: registers, the mask, and where the guest goes on. False = no frame there. */
bool rt_sigframe_pop(rt_thread *t, uint64_t *pc, uint64_t *mask);

#endif
