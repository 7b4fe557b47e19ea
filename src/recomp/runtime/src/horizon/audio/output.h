/* The loudspeaker: what audio services play, into the recording, in the guest's time. */
#ifndef HZ_OUTPUT_H
#define HZ_OUTPUT_H

#include <stdint.h>

#include "player.h"

/* Sample frames since the start, rounded down; and the instant (units) at which that many have passed. */
uint64_t hz_output_now(void);
uint64_t hz_output_time(uint64_t frames);

/* A stream of buffers and the function that is called when some of them were released. */
void hz_output_attach(hz_player *player, void (*released)(void));
void hz_output_detach(void);

/* A renderer: called every `frames` sample frames from now on, to fill that many. NULL = none. */
typedef void hz_renderer(int16_t *samples, uint32_t frames);
void hz_output_render(hz_renderer *render, uint32_t frames);

/* The next instant at which something happens here. */
uint64_t hz_output_deadline(void);

/* Time has come so far (units). */
void hz_output_advance(uint64_t now);

#endif
