/* Ways to end, and what is asked of services that nobody implemented; $ENDING says which. */
#define STUBS {"service gone", "noop"}, {"stub:7", "log"}, {"set:9", "noop"}, {"set:10", "panic"}
#include "guest.h"

static void unknowns(rt_cpu *c) {
  const uint32_t sm = connect_sm(c);
  EXPECT(c, get_service(c, sm, "nothing") == 0);
  EXPECT(c, request(c, sm, 1, 0x676e6968746f6e) == 0xe15);
  const uint32_t set = get_service(c, sm, "set"), gone = get_service(c, sm, "gone");
  EXPECT(c, set && gone);
  EXPECT(c, request(c, set, 4000, 0) == 0x1ba0a && request(c, set, 4000, 0) == 0x1ba0a);
  EXPECT(c, request(c, set, 9, 0) == 0);
  EXPECT(c, request(c, gone, 7, 0x1234) == 0);
  X(c, 0);
  EXPECT(c, svc(c, 0x7e) == KERNEL(33));
}

static void submit(rt_cpu *c) {
  const uint32_t sm = connect_sm(c), nv = get_service(c, sm, "nvdrv");
  uint32_t *m = at(c, c->tpidrro_el0);
  strcpy(at(c, DATA + 0x400), "/dev/nvhost-gpu");
  memset(m, 0, 0x100);
  m[0] = 4 | 1 << 20; /* Open, with the path in a send buffer */
  m[1] = 8;
  m[2] = 16, m[3] = DATA + 0x400;
  m[8] = 0x49434653;
  X(c, nv);
  EXPECT(c, svc(c, 0x21) == 0 && m[6] == 0 && m[9] == 0);
  const uint64_t fd = m[8];
  request(c, nv, 1, fd | UINT64_C(0xc018481b) << 32); /* Ioctl: kick off */
}

GUEST(run) {
  const char *how = getenv("ENDING");
  if (strcmp(how, "unknowns") == 0) unknowns(c);
  if (strcmp(how, "panic") == 0) request(c, get_service(c, connect_sm(c), "set"), 10, 0);
  if (strcmp(how, "gpu") == 0) submit(c);
  if (strcmp(how, "exit") == 0) svc(c, 0x07);
  if (strcmp(how, "break") == 0) {
    const uint32_t result = 345 | 13 << 9;
    memcpy(at(c, DATA), &result, 4);
    X(c, 0x80000003, 0, 0);
    EXPECT(c, svc(c, 0x26) == 0); /* only a notice */
    X(c, 0, DATA, 4);
    svc(c, 0x26);
  }
  if (strcmp(how, "deadlock") == 0) {
    X(c, 0, 0, 0);
    EXPECT(c, svc(c, 0x45) == 0);
    const uint32_t event = (uint32_t)c->x[2];
    memcpy(at(c, DATA), &event, 4);
    X(c, 0, DATA, 1, ~UINT64_C(0));
    svc(c, 0x18);
  }
  c->x[0] = strcmp(how, "result") == 0 ? 1 | 114 << 9 : 0;
  return rt_call_indirect(c, TEXT, 0x03000000);
}

GUEST_MODULE({TEXT + 4, TEXT + 4, run});
