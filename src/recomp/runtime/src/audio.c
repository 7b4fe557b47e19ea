#include "audio.h"

#include <string.h>

#include "clock.h"
#include "live.h"
#include "record.h"

#define CHANNELS 2 /* the most there can be */

static int16_t queue[RT_AUDIO_FRAMES * CHANNELS]; /* a ring of sample frames */
static uint32_t head, waiting;
static uint64_t played; /* sample frames since the guest's start, with silence */
static uint32_t rate = 48000, channels = 2;
static bool started;
static int file = -1;

void rt_audio_configure(uint32_t rate_hz, uint32_t count) {
  if (started) return;
  rate = rate_hz;
  channels = count;
}

uint32_t rt_audio_rate(void) { return rate; }

uint32_t rt_audio_channels(void) { return channels; }

bool rt_audio_started(void) { return started; }

void rt_audio_start(void) {
  if (started) return;
  rt_record_lock();
  file = rt_record_open("audio.pcm");
  started = true;
  rt_audio_play(rt_clock_now());
  rt_record_unlock();
}

void rt_audio_queue(const int16_t *samples, uint32_t frames) {
  rt_record_lock();
  for (uint32_t i = 0; i < frames; i++) {
    uint32_t at = (head + waiting++) % RT_AUDIO_FRAMES;
    memcpy(queue + at * channels, samples + i * channels, channels * sizeof *queue);
  }
  rt_record_unlock();
}

uint32_t rt_audio_waiting(void) { return waiting; }

void rt_audio_reset(void) {
  rt_record_lock();
  waiting = 0;
  rt_record_unlock();
}

uint64_t rt_audio_time_until(uint32_t frames) {
  if (waiting <= frames) return 0;
  unsigned __int128 due = (unsigned __int128)(played + waiting - frames) * RT_UNITS_PER_SECOND;
  return (uint64_t)((due + rate - 1) / rate);
}

/* Up to the ring's end at once; how many were written. */
static uint32_t play_queued(uint64_t most) {
  uint32_t n = waiting < most ? waiting : (uint32_t)most;
  if (n > RT_AUDIO_FRAMES - head) n = RT_AUDIO_FRAMES - head;
  if (file >= 0) rt_record_write(file, queue + head * channels, n * channels * sizeof *queue);
  rt_live_sound(queue + head * channels, n, rate, channels);
  head = (head + n) % RT_AUDIO_FRAMES;
  waiting -= n;
  played += n;
  return n;
}

static void play_silence(uint64_t frames) {
  static const int16_t silence[4096 * CHANNELS];
  played += frames;
  while (frames > 0 && (file >= 0 || rt_live_on())) {
    uint64_t n = frames < 4096 ? frames : 4096;
    if (file >= 0) rt_record_write(file, silence, n * channels * sizeof *silence);
    rt_live_sound(silence, (uint32_t)n, rate, channels);
    frames -= n;
  }
}

void rt_audio_play(uint64_t now) {
  if (!started) return;
  uint64_t due = (uint64_t)((unsigned __int128)now * rate / RT_UNITS_PER_SECOND);
  while (played < due && waiting) play_queued(due - played);
  if (played < due) play_silence(due - played);
}

void rt_audio_drain(void) {
  while (waiting) play_queued(waiting);
}

void rt_audio_describe(rt_text *text) {
  if (started)
    rt_text_add(text, "\"audio\":{\"rate\":%u,\"channels\":%u,\"samples\":%llu}", rate, channels,
                (unsigned long long)played);
  else
    rt_text_add(text, "\"audio\":null");
}

void rt_audio_forget(void) { file = -1; }
