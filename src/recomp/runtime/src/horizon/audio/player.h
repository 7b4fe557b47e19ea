/* Sound buffers that a program queues: played one after the other at 48 kHz, and given back when they are over. It
 * counts in sample frames since the program's start and knows neither clock nor recording. */
#ifndef HZ_PLAYER_H
#define HZ_PLAYER_H

#include <stdbool.h>
#include <stdint.h>

#define HZ_RATE 48000u
#define HZ_CHANNELS 2u
#define HZ_SOUNDS 32u
#define HZ_NEVER UINT64_MAX

typedef struct hz_sound {
  uint64_t tag;
  int16_t *samples; /* as they were when the buffer was queued; the player's own */
  uint32_t frames, taken;
  uint64_t end; /* HZ_NEVER until it plays or its turn is known */
} hz_sound;

typedef struct hz_player {
  bool started;
  hz_sound sounds[HZ_SOUNDS];
  uint32_t first, count;
  uint64_t last_end;
  uint64_t released[HZ_SOUNDS * 2];
  uint32_t released_count;
} hz_player;

/* Queues `frames` interleaved sample frames; false = too many wait. */
bool hz_player_append(hz_player *p, uint64_t tag, const int16_t *samples, uint32_t frames, uint64_t now);

/* Playing begins, or stops where it is: what is queued stays. */
void hz_player_start(hz_player *p, uint64_t now);
void hz_player_stop(hz_player *p, uint64_t now);

/* When the buffer that plays is over; HZ_NEVER = nothing plays. */
uint64_t hz_player_next(const hz_player *p);

/* Time is `now`: buffers that are over move to the released ones. How many did. */
uint32_t hz_player_advance(hz_player *p, uint64_t now);

/* The oldest released tags; how many were taken. */
uint32_t hz_player_take_released(hz_player *p, uint64_t *tags, uint32_t room);

/* Everything that waits is released at once. */
void hz_player_flush(hz_player *p, uint64_t now);

bool hz_player_has(const hz_player *p, uint64_t tag);

/* The next at most `room` sample frames that play and were not asked for yet; NULL = none. */
const int16_t *hz_player_samples(hz_player *p, uint32_t room, uint32_t *frames);

#endif
