/* What a guest finds at its start, and how output and the exit code get out. */
#include "guest.h"

GUEST(run) {
  uint64_t *stack = at(c, c->sp);
  uint64_t argc = stack[0];
  say(c, "argc %d\n", (int)argc);
  for (uint64_t i = 0; i < argc; i++) say(c, "argv %s\n", (char *)at(c, stack[1 + i]));
  uint64_t *env = stack + argc + 2;
  for (; *env; env++) say(c, "env %s\n", (char *)at(c, *env));
  for (uint64_t *aux = env + 1; aux[0]; aux += 2) {
    if (aux[0] == 25) say(c, "random %016llx\n", *(unsigned long long *)at(c, aux[1]));
    else if (aux[0] == 31 || aux[0] == 15) say(c, "aux %d %s\n", (int)aux[0], (char *)at(c, aux[1]));
    else say(c, "aux %d %llx\n", (int)aux[0], (unsigned long long)aux[1]);
  }
  EXPECT(c, c->sp % 16 == 0);
  EXPECT(c, *(uint8_t *)at(c, TEXT + 7) == 8);
  sys(c, 94, 7);
  return 0;
}

GUEST_MODULE({TEXT + 4, TEXT + 4, run});
