#include "player.h"

#include <stdlib.h>
#include <string.h>

#include "../../end.h"

static hz_sound *sound(const hz_player *p, uint32_t n) {
  return (hz_sound *)&p->sounds[(p->first + n) % HZ_SOUNDS];
}

/* Each plays from its predecessor's end, or from now where nothing plays. */
static void schedule(hz_player *p, hz_sound *s, uint64_t now) {
  const uint64_t start = p->last_end > now ? p->last_end : now;
  s->end = p->last_end = start + s->frames - s->taken;
}

bool hz_player_append(hz_player *p, uint64_t tag, const int16_t *samples, uint32_t frames, uint64_t now) {
  if (p->count == HZ_SOUNDS) return false;
  hz_sound *s = sound(p, p->count++);
  const uint64_t size = (uint64_t)frames * HZ_CHANNELS * sizeof *samples;
  *s = (hz_sound){tag, malloc(size ? size : 1), frames, 0, HZ_NEVER};
  if (!s->samples) rt_fail("out of memory for sound");
  memcpy(s->samples, samples, size);
  if (p->started) schedule(p, s, now);
  return true;
}

void hz_player_start(hz_player *p, uint64_t now) {
  if (p->started) return;
  p->started = true;
  for (uint32_t i = 0; i < p->count; i++) schedule(p, sound(p, i), now);
}

/* What of the first buffer has been played already is not played again. */
void hz_player_stop(hz_player *p, uint64_t now) {
  if (!p->started) return;
  p->started = false;
  for (uint32_t i = 0; i < p->count; i++) {
    hz_sound *s = sound(p, i);
    const uint64_t left = s->end > now ? s->end - now : 0;
    if (i == 0) s->taken = left < s->frames ? s->frames - (uint32_t)left : 0;
    else s->taken = 0;
    s->end = HZ_NEVER;
  }
  p->last_end = now;
}

uint64_t hz_player_next(const hz_player *p) { return p->count && p->started ? sound(p, 0)->end : HZ_NEVER; }

static void release(hz_player *p) {
  hz_sound *s = sound(p, 0);
  const uint32_t room = sizeof p->released / sizeof *p->released;
  if (p->released_count == room) memmove(p->released, p->released + 1, --p->released_count * sizeof *p->released);
  p->released[p->released_count++] = s->tag;
  free(s->samples);
  s->samples = NULL;
  p->first = (p->first + 1) % HZ_SOUNDS;
  p->count--;
}

uint32_t hz_player_advance(hz_player *p, uint64_t now) {
  uint32_t n = 0;
  for (; hz_player_next(p) <= now; n++) release(p);
  return n;
}

uint32_t hz_player_take_released(hz_player *p, uint64_t *tags, uint32_t room) {
  const uint32_t n = room < p->released_count ? room : p->released_count;
  memcpy(tags, p->released, n * sizeof *tags);
  memmove(p->released, p->released + n, (p->released_count - n) * sizeof *tags);
  p->released_count -= n;
  return n;
}

void hz_player_flush(hz_player *p, uint64_t now) {
  while (p->count) release(p);
  p->last_end = now;
}

bool hz_player_has(const hz_player *p, uint64_t tag) {
  for (uint32_t i = 0; i < p->count; i++)
    if (sound(p, i)->tag == tag) return true;
  return false;
}

const int16_t *hz_player_samples(hz_player *p, uint32_t room, uint32_t *frames) {
  for (uint32_t i = 0; i < p->count && p->started && room; i++) {
    hz_sound *s = sound(p, i);
    if (s->taken == s->frames) continue;
    *frames = s->frames - s->taken < room ? s->frames - s->taken : room;
    const int16_t *at = s->samples + s->taken * HZ_CHANNELS;
    s->taken += *frames;
    return at;
  }
  return NULL;
}
