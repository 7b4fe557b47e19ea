/* How a program ends, and what it says on the way. */
#include <stdio.h>

#include "../../end.h"
#include "../../memory.h"
#include "svc.h"

#define ABORTED 6 /* of the port's exit codes: as if by SIGABRT */
#define NOTIFICATION 0x80000000u

hz_result hz_svc_exit_process(hz_thread *t, uint64_t *x) {
  (void)t, (void)x;
  rt_end(RT_END_EXIT, 0, (rt_end_place){0, 0}, "ExitProcess");
}

static const char *reason_name(uint32_t reason) {
  static const char *const names[] = {"panic", "assertion", "user", "before an NRO was loaded", "after an NRO was loaded",
                                      "before an NRO was unloaded", "after an NRO was unloaded", "C++ exception"};
  return reason < sizeof names / sizeof *names ? names[reason] : "unknown reason";
}

hz_result hz_svc_break_process(hz_thread *t, uint64_t *x) {
  const uint32_t reason = (uint32_t)x[0];
  uint32_t result = 0;
  if (reason & NOTIFICATION) return HZ_OK;
  const bool has_result = x[2] == sizeof result && rt_memory_get(&result, x[1], sizeof result);
  rt_end(RT_END_SIGNAL, ABORTED, (rt_end_place){t->thread->cpu.pc, 0}, "the program aborted: Break, reason %u (%s)%s%s",
         reason, reason_name(reason), has_result ? ", result " : "", has_result ? hz_result_text(result) : "");
}

hz_result hz_svc_return_from_exception(hz_thread *t, uint64_t *x) {
  rt_end(RT_END_SIGNAL, ABORTED, (rt_end_place){t->thread->cpu.pc, 0}, "the program's exception handler gave up: %s",
         hz_result_text((hz_result)x[0]));
}

/* The program's log: to the port's standard error, as it is. */
hz_result hz_svc_output_debug_string(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint64_t size = x[1] < 4096 ? x[1] : 4096;
  const char *text = rt_memory_at(x[0], size, RT_READ);
  if (!text) return HZ_INVALID_STATE_OF_MEMORY;
  fwrite(text, 1, size, stderr);
  return HZ_OK;
}
