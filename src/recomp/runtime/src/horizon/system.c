/* The Horizon guest as the shared part of the runtime sees it: ticks, sound, and time that calls take. */
#define _GNU_SOURCE
#include "../system.h"

#include <stdlib.h>

#include "../clock.h"
#include "../end.h"
#include "../input.h"
#include "../options.h"
#include "../trap.h"
#include "audio/output.h"
#include "display/screen.h"
#include "input/hid_memory.h"
#include "kernel/kthread.h"
#include "load.h"
#include "services/clocks.h"
#include "services/files.h"

const char rt_system_abi[] = "horizon";

void rt_system_init(int argc, char **argv) {
  (void)argc, (void)argv;
  if (rt_opt.realtime && getenv("RECOMP_RT_REALTIME")) rt_fail("RECOMP_RT_REALTIME: a console program runs in virtual time");
  rt_opt.realtime = false;
  rt_clock_init(0);
  rt_input_init();
  hz_files_init();
  hz_clocks_init();
  hz_hid_init();
  hz_hid_publish(0);
  hz_load_init();
}

void rt_system_prepare(rt_cpu *c) { hz_load_registers(c); }

bool rt_system_ends_by(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGALRM);
  return true;
}

void rt_system_thread_init(void) {
  rt_trap_thread_init();
  sigset_t faults;
  sigemptyset(&faults);
  sigaddset(&faults, SIGSEGV);
  sigaddset(&faults, SIGBUS);
  pthread_sigmask(SIG_UNBLOCK, &faults, NULL);
}

int rt_system_thread_id(bool is_first) {
  static int last = 1;
  return is_first ? 1 : ++last;
}

static uint64_t next_instant(void) {
  const uint64_t tick = (rt_clock_tick() + 1) * RT_UNITS_PER_TICK, sound = hz_output_deadline();
  const uint64_t compose = hz_screen_compose_time(), screen = compose < tick ? compose : tick;
  return sound < screen ? sound : screen;
}

uint64_t rt_system_deadline(void) { return hz_threads_depend_on_system() ? next_instant() : RT_FOREVER; }

/* A tick ends: the display goes to its next picture, which is recorded; then the next tick's input is there. */
static void end_tick(uint64_t until) {
  hz_screen_vsync();
  rt_clock_advance(until);
  hz_hid_publish(rt_clock_tick());
  hz_screen_tick_over();
}

void rt_system_advance(uint64_t until) {
  uint64_t next;
  while ((next = next_instant()) <= until) {
    if (next % RT_UNITS_PER_TICK == 0) end_tick(next);
    else rt_clock_advance(next);
    if (next == hz_screen_compose_time()) hz_screen_compose();
    hz_output_advance(next);
  }
  rt_clock_advance(until);
}

void rt_system_time_passed(void) {}

bool rt_system_interrupts(const rt_thread *t) {
  (void)t;
  return false;
}

bool rt_system_expects_signal(void) { return false; }

sigset_t rt_system_wait_mask(const rt_thread *t) {
  (void)t;
  sigset_t set;
  sigfillset(&set);
  return set;
}
