#define _GNU_SOURCE
#include "clock.h"

#include <time.h>

#include "audio.h"
#include "end.h"
#include "live.h"
#include "options.h"
#include "record.h"
#include "thread.h"
#include "video.h"

static uint64_t now;         /* units; in real time: up to where ticks are accounted for */
static uint64_t tick;        /* now / RT_UNITS_PER_TICK */
static uint64_t host_start;  /* host monotonic ns at the guest's start */
static unsigned reads_in_a_row;

static uint64_t host_ns(clockid_t id) {
  struct timespec ts;
  clock_gettime(id, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void rt_clock_init(uint64_t start) {
  host_start = host_ns(CLOCK_MONOTONIC);
  now = start;
  tick = start / RT_UNITS_PER_TICK;
}

uint64_t rt_clock_now(void) {
  if (rt_opt.realtime) return (host_ns(CLOCK_MONOTONIC) - host_start) * RT_UNITS_PER_NS;
  return now;
}

uint64_t rt_clock_tick(void) { return rt_clock_now() / RT_UNITS_PER_TICK; }

static _Noreturn void end_at_limit(void) {
  int tid;
  uint64_t pc;
  if (rt_thread_spins(&tid, &pc))
    rt_end(RT_END_LIMIT, RT_CODE_LIMIT, (rt_end_place){pc, 0},
           "RECOMP_RT_MAX_TICKS reached after %llu ticks; guest thread %d spins, and nobody else can run",
           (unsigned long long)tick, tid);
  rt_end(RT_END_LIMIT, RT_CODE_LIMIT, (rt_end_place){0, 0}, "RECOMP_RT_MAX_TICKS reached after %llu ticks",
         (unsigned long long)tick);
}

static void account_for(uint64_t until) {
  uint64_t ended = until / RT_UNITS_PER_TICK - tick;
  now = until;
  rt_record_lock();
  rt_audio_play(now);
  if (ended) rt_video_ticks(tick, ended);
  tick += ended;
  rt_record_unlock();
}

void rt_clock_advance(uint64_t until) {
  reads_in_a_row = 0;
  if (until <= now) return;
  uint64_t limit = rt_opt.max_ticks ? rt_opt.max_ticks * RT_UNITS_PER_TICK : RT_FOREVER;
  uint64_t stop = until < limit ? until : limit;
  while (rt_live_on() && (tick + 1) * RT_UNITS_PER_TICK <= stop) { /* who plays sees every tick end */
    account_for((tick + 1) * RT_UNITS_PER_TICK);
    rt_live_tick(tick);
  }
  account_for(stop);
  if (stop == limit) end_at_limit();
}

uint64_t rt_clock_monotonic_ns(void) {
  if (rt_opt.realtime) return host_ns(CLOCK_MONOTONIC);
  return UINT64_C(1000000000) * RT_MONOTONIC_START_S + now / RT_UNITS_PER_NS;
}

uint64_t rt_clock_realtime_ns(void) {
  if (rt_opt.realtime) return host_ns(CLOCK_REALTIME);
  return UINT64_C(1000000000) * RT_REALTIME_START_S + now / RT_UNITS_PER_NS;
}

void rt_clock_was_read(void) {
  if (rt_opt.realtime || ++reads_in_a_row <= RT_CLOCK_SPINS) return;
  rt_clock_advance(now + 10000 * RT_UNITS_PER_NS);
  reads_in_a_row = RT_CLOCK_SPINS;
}

uint64_t rt_clock_after(uint64_t t, uint64_t ns) {
  if (ns >= (RT_FOREVER - t) / RT_UNITS_PER_NS) return RT_FOREVER;
  return t + ns * RT_UNITS_PER_NS;
}
