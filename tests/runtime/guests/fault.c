/* What the first argument says: how a guest can go wrong. */
#include "guest.h"

static uint64_t deeper(rt_cpu *c, volatile char *above) {
  volatile char here[65536];
  here[0] = above ? above[0] : 0;
  if (here[0]) return 0;
  return deeper(c, here) + (uint64_t)here[0];
}

GUEST(run) {
  char what = *(char *)at(c, ((uint64_t *)at(c, c->sp))[2]);
  switch (what) {
    case 'n': return *(volatile uint32_t *)at(c, 0x10);
    case 'r': *(volatile uint32_t *)at(c, TEXT) = 1; return 0;
    case 'e': return *(volatile uint64_t *)(c->memory + 0xffffffff);
    case 'a': return rt_ld64(c->memory + 16, ~UINT64_C(7)); /* an offset above the space */
    case 'w': return rt_ld64(c->memory - 16, 8);            /* and one below it */
    case 'u': rt_trap(c, RT_TRAP_UNDEFINED, TEXT + 8, 0x00000001);
    case 'b': rt_trap(c, RT_TRAP_BREAKPOINT, TEXT + 8, 0xd4200000);
    case 'm': rt_miss(c, TEXT + 12, 0x1234560);
    case 's': return deeper(c, NULL);
    case 'k': sys(c, 129, 1000, 15); return 0;   /* kill(getpid(), SIGTERM) */
    case 'd': sys(c, 98, DATA, 0, 0, 0); return 0; /* futex that nobody wakes */
    case 'l': for (volatile int i = 0;;) i++;
    case 'q': sys(c, 4000); sys(c, 4000); sys(c, 4001); sys(c, 94, 0);
  }
  return 0;
}

GUEST_MODULE({TEXT + 4, TEXT + 4, run});
