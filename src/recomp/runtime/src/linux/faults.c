/* A guest's own faults and its handlers of them.
 *
 * The guest's registers are in C locals where an access faults, so what a handler is told depends on what the port was
 * made for (rt_guest.faults). A handler that returns having changed nothing has the access tried again, with everything
 * as it was, and one that leaves by longjmp needs none of it: both work in any port. */
#include <string.h>

#include "../end.h"
#include "../trap.h"
#include "signals.h"

/* How far below the sp of the last call a function may use the stack where its own sp is not known. */
#define UNKNOWN_FRAME UINT64_C(0x10000)

static bool is_as_before(const rt_cpu *c, const rt_cpu *before) {
  return memcmp(c->x, before->x, sizeof c->x) == 0 && c->sp == before->sp && c->nf == before->nf &&
         c->zf == before->zf && c->cf == before->cf && c->vf == before->vf && c->fpcr == before->fpcr &&
         c->fpsr == before->fpsr && memcmp(c->v, before->v, sizeof c->v) == 0;
}

/* Whether the guest may go on at `pc` with what is known of its registers. A handler that makes it call a function with
 * the frame that it was shown (Go's) needs no more. */
static bool may_go_on(const rt_fault *fault, uint64_t pc) {
  return fault->shown == RT_FAULTS_ALL || (fault->shown == RT_FAULTS_FRAME && rt_lookup(pc));
}

bool rt_system_fault(rt_thread *t, const rt_fault *fault) {
  if (!rt_signals_handles(t, fault->number)) return false;
  rt_thread_enter(t);
  const rt_cpu before = t->cpu;
  rt_siginfo info = {.number = fault->number, .code = fault->code, .addr = fault->addr};
  uint64_t back = rt_signals_run_handler(t, &info, fault->pc, fault->shown ? 0 : UNKNOWN_FRAME);
  bool same = back == fault->pc && is_as_before(&t->cpu, &before);
  if (!same && may_go_on(fault, back)) rt_thread_restart(t, back);
  rt_thread_leave(t);
  if (same) return true;
  rt_end(RT_END_TRAP, RT_CODE_RUNTIME, (rt_end_place){fault->pc, 0},
         "the guest's handler of signal %d goes on at 0x%llx or changed registers, which this port does not know there; "
         "it has to be made with --faults all",
         fault->number, (unsigned long long)back);
}
