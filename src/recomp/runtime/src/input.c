#define _GNU_SOURCE
#include "input.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "end.h"
#include "options.h"
#include "thread.h"

static rt_input_event *events;
static size_t event_count;

static void append(rt_input_event e) {
  if ((event_count & (event_count - 1)) == 0) {
    events = realloc(events, (event_count ? event_count * 2 : 1) * sizeof *events);
    if (!events) rt_fail("out of memory for the input script");
  }
  events[event_count++] = e;
}

/* Events of one tick are one report. */
static void close_report(void) {
  if (event_count && events[event_count - 1].type != RT_EV_SYN)
    append((rt_input_event){events[event_count - 1].tick, RT_EV_SYN, 0, 0, true});
}

static rt_input_event parse(const char *line, unsigned number) {
  unsigned long long tick;
  unsigned type, code;
  int value, end = 0;
  if (!isdigit((unsigned char)*line) || sscanf(line, "%llu %u %u %d %n", &tick, &type, &code, &value, &end) != 4 ||
      line[end] || type > 0x1f || code > UINT16_MAX)
    rt_fail("%s:%u: expected TICK TYPE CODE VALUE, found \"%.40s\"", rt_opt.input_path, number, line);
  return (rt_input_event){tick, (uint16_t)type, (uint16_t)code, value, false};
}

void rt_input_init(void) {
  if (!rt_opt.input_path) return;
  FILE *file = fopen(rt_opt.input_path, "re");
  if (!file) rt_fail("RECOMP_RT_INPUT: cannot read %s: %s", rt_opt.input_path, strerror(errno));
  char line[256];
  for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
    line[strcspn(line, "\r\n")] = 0;
    if (!*line) continue;
    rt_input_event e = parse(line, number);
    uint64_t before = event_count ? events[event_count - 1].tick : 0;
    if (e.tick < before)
      rt_fail("%s:%u: tick %llu after tick %llu: expected the ticks in order", rt_opt.input_path, number,
              (unsigned long long)e.tick, (unsigned long long)before);
    if (e.tick > before) close_report();
    append(e);
  }
  close_report();
  fclose(file);
}

const rt_input_event *rt_input_at(size_t n) { return n < event_count ? &events[n] : NULL; }

void rt_input_play(uint64_t tick, uint16_t type, uint16_t code, int32_t value) {
  append((rt_input_event){tick, type, code, value, false});
}

void rt_input_played(uint64_t tick) {
  close_report();
  rt_thread_input_played(tick * RT_UNITS_PER_TICK);
}
