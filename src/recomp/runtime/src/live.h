/* Playing: somebody outside looks on and plays, tick by tick, over a socket. docs/formats/live.md.
 *
 * The port stays deterministic. When a tick ends it says what was shown and heard, and goes on when it is told what is
 * played in the next tick; so the other side decides how fast time passes, and the same events in the same ticks, given
 * as an input script, make the same run. */
#ifndef RT_LIVE_H
#define RT_LIVE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether somebody plays. */
bool rt_live_on(void);

/* Asks for the input of tick 0; nothing where RECOMP_RT_LIVE is not set. Ends the process by rt_fail where it is no
 * socket. */
void rt_live_init(void);

/* `tick` has just begun: tells what the one before showed, and takes the input of this one. The recording's lock is not
 * held: the other side may take its time. */
void rt_live_tick(uint64_t tick);

/* What has just been played. Recording's lock held. */
void rt_live_sound(const int16_t *samples, uint32_t frames, uint32_t rate, uint32_t channels);

void rt_live_forget(void);

#endif
