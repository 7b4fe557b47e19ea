/* What the parts under test need beside themselves, and what ctypes cannot see. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "horizon/audio/mixer.h"
#include "horizon/audio/player.h"
#include "horizon/display/queue.h"

_Noreturn void rt_fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  abort();
}

static char listed[1024];

/* What was listed as not implemented, a line each. */
void rt_record_unknown_name(const char *name) { strcat(strcat(listed, name), "\n"); }

const char *listed_names(void) { return listed; }

hz_queue *queue_new(void) {
  hz_queue *q = malloc(sizeof *q);
  hz_queue_init(q);
  return q;
}

int32_t queue_state(const hz_queue *q, int32_t slot) { return (int32_t)q->slots[slot].state; }

int32_t queue_shown(const hz_queue *q) { return q->shown; }

/* The slot, or the status where there is none. */
int32_t queue_dequeue(hz_queue *q) {
  int32_t slot = 0;
  const int32_t status = hz_queue_dequeue(q, &slot);
  return status ? status : slot;
}

int32_t queue_queue(hz_queue *q, int32_t slot, uint32_t interval) {
  const hz_presentation p = {0, 0, 0, 0, 0, interval};
  return hz_queue_queue(q, slot, &p);
}

/* The guest's addresses are the host's here. */
static const void *memory(uint64_t addr, uint64_t size) {
  (void)size;
  return (const void *)(uintptr_t)addr;
}

hz_mixer *mixer_new(uint32_t voices) {
  hz_mixer *m = calloc(1, sizeof *m);
  m->voices = calloc(voices, sizeof *m->voices);
  m->channels = calloc(voices, sizeof *m->channels);
  m->voice_count = m->channel_count = voices;
  m->mix_count = 1;
  m->memory = memory;
  return m;
}

hz_player *player_new(void) { return calloc(1, sizeof(hz_player)); }

/* Appends `frames` sample frames whose left channel counts from `first`. */
int32_t player_append(hz_player *p, uint64_t tag, int32_t first, uint32_t frames, uint64_t now) {
  int16_t *samples = calloc(frames, 4);
  for (uint32_t i = 0; i < frames; i++) samples[2 * i] = (int16_t)(first + (int32_t)i);
  const int32_t done = hz_player_append(p, tag, samples, frames, now);
  free(samples);
  return done;
}

/* The left channel of the next run's first sample, and how long the run is; -1 = nothing is to be played. */
int32_t player_run(hz_player *p, uint32_t room, uint32_t *frames) {
  const int16_t *samples = hz_player_samples(p, room, frames);
  return samples ? samples[0] : -1;
}
