#define _GNU_SOURCE
#include "svc.h"

#include "../record.h"
#include "signals.h"

static rt_svc_call *const table[] = {
#define RT_CALL(number, name) [number] = rt_svc_##name,
#include "calls.h"
#undef RT_CALL
};

static int64_t call(rt_thread *t, uint64_t number) {
  if (number < sizeof table / sizeof *table && table[number]) {
    const uint64_t a[6] = {t->cpu.x[0], t->cpu.x[1], t->cpu.x[2], t->cpu.x[3], t->cpu.x[4], t->cpu.x[5]};
    return table[number](t, a);
  }
  rt_record_unknown_svc(number);
  return -ENOSYS;
}

/* The immediate is not looked at, as in the kernel. */
void rt_svc(rt_cpu *c, uint64_t pc, uint32_t imm16) {
  (void)imm16;
  rt_thread *t = rt_thread_of(c);
  rt_thread_enter(t);
  bool again = true;
  while (again) {
    c->pc = pc;
    uint64_t first_argument = c->x[0];
    again = rt_signals_after_call(t, pc, first_argument, call(t, c->x[8]));
  }
  rt_thread_leave(t);
}
