/* Handlers that run: on a call of its own, out of a wait, on another stack, masked, and one that goes elsewhere. */
#include "guest.h"

#define ACTION DATA
#define OLD (DATA + 0x40)
#define SET (DATA + 0x80)
#define TIMER (DATA + 0xc0)
#define ALTSTACK (DATA + 0x8000)
#define HANDLER (TEXT + 8)
#define ELSEWHERE (TEXT + 12)
#define LEAVING (TEXT + 16)

static int calls, last, on_altstack;
static uint64_t landing;

GUEST(handler) {
  calls++;
  last = (int)c->x[0];
  int32_t *info = at(c, c->x[1]);
  EXPECT(c, info[0] == last && c->x[29] % 16 == 0 && c->sp % 16 == 0);
  uint64_t *context = at(c, c->x[2] + 176); /* struct sigcontext: fault address, x0.. */
  EXPECT(c, *(uint32_t *)at(c, c->x[2] + 176 + 288) == 0x46508001);
  on_altstack = c->sp >= ALTSTACK && c->sp < ALTSTACK + 0x4000;
  if (landing) context[1 + 32] = landing; /* pc */
  c->x[19] = 99;                          /* comes back as it was */
  c->v[3] = (rt_v128){5, 5};
  return c->x[30];
}

static void install(rt_cpu *c, int number, uint64_t to, uint64_t flags) {
  uint64_t action[4] = {to, flags, 0, 0};
  memcpy(at(c, ACTION), action, sizeof action);
  EXPECT(c, sys(c, 134, number, ACTION, OLD, 8) == 0);
}

/* A handler that changed the context's pc: everything above is left behind. */
GUEST(elsewhere) {
  say(c, "elsewhere, x19 %d\n", (int)c->x[19]);
  install(c, 2, 0, 0);
  sys(c, 129, 1000, 2);
  say(c, "still here\n");
  return 0;
}

GUEST(run) {
  install(c, 10, HANDLER, 0x04000000);
  c->x[19] = 7;
  c->v[3] = (rt_v128){1, 2};
  c->nf = 1, c->zf = 0, c->cf = 1, c->vf = 0;
  EXPECT(c, sys(c, 129, 1000, 10) == 0 && calls == 1 && last == 10);
  EXPECT(c, c->x[19] == 7 && c->v[3][1] == 2 && c->nf == 1 && c->cf == 1);

  /* masked: pending until unmasked */
  *(uint64_t *)at(c, SET) = 1 << 9;
  EXPECT(c, sys(c, 135, 0, SET, 0, 8) == 0);
  EXPECT(c, sys(c, 131, 1000, 1000, 10) == 0 && calls == 1);
  EXPECT(c, sys(c, 136, OLD, 8) == 0 && *(uint64_t *)at(c, OLD) == 1 << 9);
  EXPECT(c, sys(c, 135, 1, SET, 0, 8) == 0 && calls == 2);

  /* an alarm ends a sleep, which says how much was left; virtual time stands where the alarm was */
  install(c, 14, HANDLER, 0x10000000);
  int64_t timer[4] = {0, 0, 1, 500000};
  memcpy(at(c, TIMER), timer, sizeof timer);
  EXPECT(c, sys(c, 103, 0, TIMER, 0) == 0);
  int64_t time[2] = {5, 0};
  memcpy(at(c, TIMER), time, sizeof time);
  EXPECT(c, sys(c, 101, TIMER, TIMER + 16) == -4 && calls == 3 && last == 14);
  memcpy(time, at(c, TIMER + 16), sizeof time);
  EXPECT(c, time[0] == 3 && time[1] == 500000000);

  /* sigsuspend runs the handler under its own mask and returns with the old one */
  sys(c, 135, 0, SET, 0, 8);
  sys(c, 131, 1000, 1000, 10);
  *(uint64_t *)at(c, OLD) = 0;
  EXPECT(c, sys(c, 133, OLD, 8) == -4 && calls == 4);
  EXPECT(c, sys(c, 135, 0, 0, OLD, 8) == 0 && *(uint64_t *)at(c, OLD) == 1 << 9);
  sys(c, 135, 1, SET, 0, 8);

  /* SA_ONSTACK, SA_RESETHAND */
  uint64_t stack[3] = {ALTSTACK, 0, 0x4000};
  memcpy(at(c, TIMER), stack, sizeof stack);
  EXPECT(c, sys(c, 132, TIMER, 0) == 0);
  install(c, 12, HANDLER, 0x88000000);
  EXPECT(c, sys(c, 129, 1000, 12) == 0 && calls == 5 && on_altstack);
  sys(c, 134, 12, 0, OLD, 8);
  EXPECT(c, *(uint64_t *)at(c, OLD) == 0);

  /* SIG_IGN; a default that ignores */
  install(c, 15, 1, 0);
  EXPECT(c, sys(c, 129, 1000, 15) == 0 && sys(c, 129, 1000, 17) == 0);

  landing = ELSEWHERE;
  sys(c, 129, 1000, 10);
  say(c, "not reached\n");
  return 0;
}

GUEST_MODULE({HANDLER, HANDLER, handler}, {ELSEWHERE, ELSEWHERE, elsewhere});
