#include "output.h"

#include "../../audio.h"
#include "../../clock.h"

#define LONGEST_FRAME 1024u

static hz_player *player;
static void (*on_released)(void);
static hz_renderer *renderer;
static uint32_t renderer_frames;
static uint64_t next_render; /* sample frames */

uint64_t hz_output_now(void) {
  return (uint64_t)((unsigned __int128)rt_clock_now() * HZ_RATE / RT_UNITS_PER_SECOND);
}

uint64_t hz_output_time(uint64_t frames) {
  if (frames == HZ_NEVER) return RT_FOREVER;
  return (uint64_t)(((unsigned __int128)frames * RT_UNITS_PER_SECOND + HZ_RATE - 1) / HZ_RATE);
}

void hz_output_attach(hz_player *p, void (*released)(void)) {
  player = p;
  on_released = released;
}

void hz_output_detach(void) { player = NULL; }

void hz_output_render(hz_renderer *render, uint32_t frames) {
  renderer = render;
  renderer_frames = frames < LONGEST_FRAME ? frames : LONGEST_FRAME;
  next_render = hz_output_now() + renderer_frames;
}

uint64_t hz_output_deadline(void) {
  const uint64_t release = player ? hz_player_next(player) : HZ_NEVER;
  const uint64_t render = renderer ? next_render : HZ_NEVER;
  return hz_output_time(release < render ? release : render);
}

static void play(const int16_t *samples, uint32_t frames) {
  if (!rt_audio_started()) {
    rt_audio_configure(HZ_RATE, HZ_CHANNELS);
    rt_audio_start();
  }
  rt_audio_queue(samples, frames);
}

/* The recording's queue is shorter than what a program may queue: it is filled as it empties. */
static void feed(void) {
  uint32_t frames;
  const int16_t *samples;
  while (player && (samples = hz_player_samples(player, RT_AUDIO_FRAMES - rt_audio_waiting(), &frames)))
    play(samples, frames);
}

static void render_due(uint64_t now) {
  static int16_t samples[LONGEST_FRAME * HZ_CHANNELS];
  while (renderer && next_render <= now) {
    renderer(samples, renderer_frames);
    if (renderer_frames <= RT_AUDIO_FRAMES - rt_audio_waiting()) play(samples, renderer_frames);
    next_render += renderer_frames;
  }
}

void hz_output_advance(uint64_t now_units) {
  const uint64_t now = (uint64_t)((unsigned __int128)now_units * HZ_RATE / RT_UNITS_PER_SECOND);
  feed();
  if (player && hz_player_advance(player, now)) on_released();
  render_due(now);
}
