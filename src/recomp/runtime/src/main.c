/* The port: reads its settings, builds the guest's world, runs the guest, and watches from outside. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "end.h"
#include "live.h"
#include "memory.h"
#include "options.h"
#include "record.h"
#include "rt.h"
#include "system.h"
#include "thread.h"

/* The guest's threads have the signals that end the run blocked; they arrive here. */
static _Noreturn void watch(void) {
  sigset_t set;
  if (!rt_system_ends_by(&set))
    for (;;) pause();
  int number = SIGTERM;
  while (sigwait(&set, &number)) continue;
  rt_end(RT_END_LIMIT, RT_CODE_LIMIT, (rt_end_place){0, 0},
         "ended from outside by signal %d: the guest neither presented, waited nor exited in the time it was given, or the run was stopped",
         number);
}

int main(int argc, char **argv) {
  rt_options_read();
  if (strcmp(rt_guest.abi, rt_system_abi) != 0)
    rt_fail("guest ABI \"%s\": expected \"%s\"", rt_guest.abi, rt_system_abi);
  rt_record_init();
  rt_memory_init(&rt_guest);
  rt_dispatch_init();
  rt_system_init(argc, argv);
  rt_live_init();
  sigset_t all; /* this thread only watches: a signal must find a thread of the guest */
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  rt_thread_start_first(rt_guest.entry, rt_system_prepare);
  watch();
}
