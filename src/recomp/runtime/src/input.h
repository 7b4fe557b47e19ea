/* The compiled input script (RECOMP_RT_INPUT): evdev events by tick, whichever way the guest reads them. */
#ifndef RT_INPUT_H
#define RT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_EV_SYN 0
#define RT_EV_KEY 1
#define RT_EV_REL 2
#define RT_EV_ABS 3

typedef struct rt_input_event {
  uint64_t tick;
  uint16_t type, code;
  int32_t value;
  bool added; /* a SYN_REPORT that the script left out */
} rt_input_event;

/* Reads the script; ends the process by rt_fail where it is malformed. */
void rt_input_init(void);

/* The n-th event, or NULL behind the last one. Ticks never go back, and each tick ends with a SYN_REPORT. */
const rt_input_event *rt_input_at(size_t n);

/* Somebody plays (live.h): an event of a tick that has just begun, behind those of earlier ones; and the end of its
 * events. */
void rt_input_play(uint64_t tick, uint16_t type, uint16_t code, int32_t value);
void rt_input_played(uint64_t tick);

#endif
