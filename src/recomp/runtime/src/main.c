/* The port: reads its settings, builds the guest's world, runs the guest, and watches from outside. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "end.h"
#include "live.h"
#include "linux/children.h"
#include "linux/devices.h"
#include "linux/handover.h"
#include "linux/path.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/stack.h"
#include "memory.h"
#include "options.h"
#include "record.h"
#include "rt.h"
#include "thread.h"

static int guest_argc;
static char **guest_argv;
extern char **environ;

static rt_handover begin; /* all zero unless this program took another one's place */

static void prepare(rt_cpu *c) {
  c->sp = rt_stack_build(guest_argc, guest_argv, environ);
  rt_thread_of(c)->blocked = begin.blocked;
}

/* The guest's threads have the signals that end the run blocked; they arrive here. */
static _Noreturn void watch(void) {
  if (!rt_signals_end_run())
    for (;;) pause();
  sigset_t set = rt_signals_that_end_run();
  int number = SIGTERM;
  while (sigwait(&set, &number)) continue;
  rt_end(RT_END_LIMIT, RT_CODE_LIMIT, (rt_end_place){0, 0},
         "ended from outside by signal %d: the guest neither presented, waited nor exited in the time it was given, or the run was stopped",
         number);
}

int main(int argc, char **argv) {
  rt_options_read();
  if (strcmp(rt_guest.abi, "linux") != 0) rt_fail("guest ABI \"%s\": expected \"linux\"", rt_guest.abi);
  guest_argc = argc;
  guest_argv = argv;
  rt_record_init();
  rt_memory_init(&rt_guest);
  rt_dispatch_init();
  rt_path_init();
  rt_process_init(argc, argv);
  rt_input_init();
  begin = rt_handover_read();
  rt_clock_init(begin.now);
  if (begin.id) rt_process_become(begin.id, begin.parent);
  rt_live_init();
  rt_children_init(begin.id ? begin.shared_fd : -1, begin.id ? begin.place : -1);
  rt_signals_init(begin.id && begin.place >= 0);
  rt_signals_restore(begin.ignored);
  sigset_t all; /* this thread only watches: a signal must find a thread of the guest */
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  rt_thread_start_first(rt_guest.entry, prepare);
  watch();
}
