/* The Linux guest as the shared part of the runtime sees it. */
#define _GNU_SOURCE
#include "../system.h"

#include "../clock.h"
#include "../input.h"
#include "../options.h"
#include "children.h"
#include "handover.h"
#include "path.h"
#include "process.h"
#include "signals.h"
#include "stack.h"

extern char **environ;

const char rt_system_abi[] = "linux";

static int guest_argc;
static char **guest_argv;
static rt_handover begin; /* all zero unless this program took another one's place */

void rt_system_init(int argc, char **argv) {
  guest_argc = argc;
  guest_argv = argv;
  rt_stack_init();
  rt_path_init();
  rt_process_init(argc, argv);
  rt_input_init();
  begin = rt_handover_read();
  rt_clock_init(begin.now);
  if (begin.id) rt_process_become(begin.id, begin.parent);
  rt_children_init(begin.id ? begin.shared_fd : -1, begin.id ? begin.place : -1);
  rt_signals_init(begin.id && begin.place >= 0);
  rt_signals_restore(begin.ignored);
}

void rt_system_prepare(rt_cpu *c) {
  c->sp = rt_stack_build(guest_argc, guest_argv, environ);
  rt_thread_of(c)->blocked = begin.blocked;
}

bool rt_system_ends_by(sigset_t *set) {
  *set = rt_signals_that_end_run();
  return rt_signals_end_run();
}

void rt_system_thread_init(void) { rt_signals_thread_init(); }

int rt_system_thread_id(bool is_first) { return is_first ? rt_process_id() : rt_process_new_id(); }

uint64_t rt_system_deadline(void) { return rt_signals_alarm(); }

void rt_system_advance(uint64_t until) { rt_clock_advance(until); }

void rt_system_time_passed(void) { rt_signals_time_passed(); }

bool rt_system_interrupts(const rt_thread *t) { return rt_signals_deliverable(t); }

bool rt_system_expects_signal(void) { return rt_signals_expected(); }

sigset_t rt_system_wait_mask(const rt_thread *t) { return rt_signals_host_mask(t); }

uint64_t rt_cntvct(rt_cpu *c) {
  (void)c;
  rt_clock_was_read();
  return (uint64_t)((unsigned __int128)rt_clock_monotonic_ns() * RT_CNTFRQ / 1000000000);
}
