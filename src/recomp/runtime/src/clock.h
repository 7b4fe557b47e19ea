/* Time in the guest. Virtual by default: it moves only when every guest thread waits. */
#ifndef RT_CLOCK_H
#define RT_CLOCK_H

#include <stdint.h>

/* Time is counted in thirds of a nanosecond since the guest's start, so that a tick of 1/60 s and a sample of 1/48000 s
 * are whole numbers and nothing ever drifts. 64 bits last for 194 years. */
#define RT_UNITS_PER_NS UINT64_C(3)
#define RT_UNITS_PER_SECOND UINT64_C(3000000000)
#define RT_UNITS_PER_TICK UINT64_C(50000000)
#define RT_FOREVER UINT64_MAX

/* What the guest's clocks show at its start: the virtual boot was a while ago, and it is 2000-01-01 00:00:00 UTC. */
#define RT_MONOTONIC_START_S 1000
#define RT_REALTIME_START_S 946684800

/* `start`: virtual time that has passed already, units (a program that took another one's place). */
void rt_clock_init(uint64_t start);

/* Time since the guest's start. */
uint64_t rt_clock_now(void);

/* The tick that time belongs to. */
uint64_t rt_clock_tick(void);

/* Moves virtual time forward (never back); each tick that ends on the way is recorded, and ends the run where
 * RECOMP_RT_MAX_TICKS says so. In real time: only accounts for the ticks that have passed. */
void rt_clock_advance(uint64_t until);

/* Nanoseconds on the guest's CLOCK_MONOTONIC and CLOCK_REALTIME. */
uint64_t rt_clock_monotonic_ns(void);
uint64_t rt_clock_realtime_ns(void);

/* Called for each time that the guest reads a clock. A guest that does nothing else is waiting for it to move: after
 * RT_CLOCK_SPINS reads without a wait each further one lets 10 us pass. */
#define RT_CLOCK_SPINS 256
void rt_clock_was_read(void);

/* `t` + `ns`, at most RT_FOREVER. */
uint64_t rt_clock_after(uint64_t t, uint64_t ns);

#endif
