#include "svc.h"

#include "../../clock.h"
#include "../../record.h"

static hz_svc *const table[] = {
#define HZ_CALL(number, name) [number] = hz_svc_##name,
#include "calls.h"
#undef HZ_CALL
};

#define GET_SYSTEM_TICK 0x1e

static void pass(uint64_t ns) {
  rt_thread_let_time_pass(rt_clock_after(rt_clock_now(), ns));
}

/* Time moves when the guest waits. A loop of calls that never wait would stand still in it: after many at one instant
 * each takes its time. */
static void pass_call(void) {
  static uint64_t at;
  static unsigned calls;
  if (rt_clock_now() != at) calls = 0;
  if (++calls > HZ_FREE_CALLS) pass(HZ_SVC_NS);
  at = rt_clock_now();
}

/* The number is the instruction's immediate. Inputs and outputs beside the result stay in the registers. */
void rt_svc(rt_cpu *c, uint64_t pc, uint32_t number) {
  rt_thread *thread = rt_thread_of(c);
  c->pc = pc;
  pass_call();
  hz_svc *handle = number < sizeof table / sizeof *table ? table[number] : NULL;
  if (!handle) rt_record_unknown_svc(number);
  const hz_result result = handle ? handle(thread->object, c->x) : HZ_NOT_IMPLEMENTED;
  if (number != GET_SYSTEM_TICK) c->x[0] = result;
  rt_thread_preempt(thread);
}

uint64_t rt_cntvct(rt_cpu *c) {
  pass(HZ_COUNTER_READ_NS);
  const uint64_t ticks = rt_clock_now() / RT_UNITS_PER_NS * 12 / 625;
  rt_thread_preempt(rt_thread_of(c));
  return ticks;
}
