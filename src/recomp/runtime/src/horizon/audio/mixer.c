#include "mixer.h"

#include <math.h>
#include <string.h>

#define OUTPUT_RATE 48000.0
#define ONE (UINT64_C(1) << 32)

static float mixed[HZ_MOST_MIXES][HZ_MIX_BUFFERS][HZ_MIX_FRAMES];

static uint32_t sample_size(const hz_voice *v) { return v->format == HZ_FORMAT_FLOAT ? 4 : 2; }

/* The wave that plays, with its samples; NULL where there is none or its memory is not there. */
static const uint8_t *samples_of(const hz_mixer *m, const hz_voice *v, const hz_wave *w) {
  if (!w->queued || w->end <= w->start || w->start < 0) return NULL;
  const uint64_t size = (uint64_t)w->end * v->channels * sample_size(v);
  return size <= w->size ? m->memory(w->addr, size) : NULL;
}

static float sample_at(const hz_voice *v, const uint8_t *bytes, int64_t frame, uint32_t channel) {
  const uint64_t at = ((uint64_t)frame * v->channels + channel) * sample_size(v);
  if (v->format == HZ_FORMAT_FLOAT) {
    float value;
    memcpy(&value, bytes + at, sizeof value);
    return isfinite(value) ? value * 32768.0f : 0.0f;
  }
  int16_t value;
  memcpy(&value, bytes + at, sizeof value);
  return value;
}

/* Between two sample frames in a straight line; behind the last one it holds. */
static float interpolated(const hz_voice *v, const hz_wave *w, const uint8_t *bytes, uint32_t channel) {
  const int64_t frame = w->start + (int64_t)(v->position >> 32);
  const float here = sample_at(v, bytes, frame, channel);
  const float part = (float)(v->position & (ONE - 1)) * (1.0f / 4294967296.0f);
  if (part == 0.0f || frame + 1 >= w->end) return here;
  return here + (sample_at(v, bytes, frame + 1, channel) - here) * part;
}

static void finish_wave(hz_voice *v, hz_wave *w) {
  const uint64_t length = (uint64_t)(w->end - w->start) << 32;
  v->position -= length;
  if (w->loops) return;
  w->queued = false;
  v->wave = (v->wave + 1) % HZ_WAVES;
  v->consumed++;
}

static void step(hz_voice *v, uint64_t by) {
  const uint64_t before = v->position >> 32;
  v->position += by;
  v->played += (v->position >> 32) - before;
  for (hz_wave *w = &v->waves[v->wave];
       w->queued && w->end > w->start && v->position >= (uint64_t)(w->end - w->start) << 32; w = &v->waves[v->wave])
    finish_wave(v, w);
}

static void mix_voice(const hz_mixer *m, hz_voice *v) {
  const double ratio = v->rate * (double)v->pitch / OUTPUT_RATE;
  if (!(ratio > 0.0 && ratio < 64.0)) return;
  const uint64_t by = (uint64_t)(ratio * (double)ONE);
  const uint8_t *bytes = NULL;
  uint32_t current = HZ_WAVES;
  for (uint32_t i = 0; i < HZ_MIX_FRAMES; i++) {
    hz_wave *w = &v->waves[v->wave];
    if (v->wave != current) bytes = samples_of(m, v, w), current = v->wave;
    if (!bytes || !w->queued) {
      if (!w->queued) return; /* nothing is queued any more */
      finish_wave(v, w);      /* it cannot be read: skipped */
      v->position = 0;
      continue;
    }
    for (uint32_t c = 0; c < v->channels && c < HZ_VOICE_CHANNELS; c++) {
      if (v->channel_ids[c] >= m->channel_count) continue;
      const float value = interpolated(v, w, bytes, c) * v->volume;
      const float *gains = m->channels[v->channel_ids[c]];
      for (uint32_t b = 0; b < HZ_MIX_BUFFERS; b++)
        if (gains[b] != 0.0f) mixed[v->destination][b][i] += value * gains[b];
    }
    step(v, by);
  }
}

/* How many mixes lie between this one and the final one; -1 = it does not lead there. */
static int depth(const hz_mixer *m, uint32_t id) {
  for (int n = 0; n <= (int)m->mix_count; n++) {
    if (id == HZ_FINAL_MIX) return n;
    if (id >= m->mix_count || !m->mixes[id].used) return -1;
    id = m->mixes[id].destination;
  }
  return -1;
}

static void pass_on(const hz_mixer *m, uint32_t id) {
  const hz_mix *mix = &m->mixes[id];
  for (uint32_t from = 0; from < mix->buffers; from++)
    for (uint32_t to = 0; to < HZ_MIX_BUFFERS; to++) {
      const float gain = mix->volume * mix->matrix[from][to];
      for (uint32_t i = 0; gain != 0.0f && i < HZ_MIX_FRAMES; i++)
        mixed[mix->destination][to][i] += mixed[id][from][i] * gain;
    }
}

static int16_t to_s16(float value) {
  return value >= 32767.0f ? 32767 : value <= -32768.0f ? -32768 : (int16_t)lrintf(value);
}

void hz_mixer_render(hz_mixer *m, int16_t *samples) {
  memset(samples, 0, HZ_MIX_FRAMES * 2 * sizeof *samples);
  memset(mixed, 0, sizeof mixed[0] * (m->mix_count ? m->mix_count : 1));
  for (uint32_t i = 0; i < m->voice_count; i++) {
    hz_voice *v = &m->voices[i];
    const bool is_known = v->format == HZ_FORMAT_S16 || v->format == HZ_FORMAT_FLOAT;
    if (v->used && v->plays && is_known && v->channels && v->destination < m->mix_count) mix_voice(m, v);
  }
  for (int level = (int)m->mix_count; level > 0; level--)
    for (uint32_t id = 1; id < m->mix_count; id++)
      if (m->mixes[id].used && depth(m, id) == level) pass_on(m, id);
  if (!m->has_sink || !m->mix_count || !m->mixes[HZ_FINAL_MIX].used) return;
  for (uint32_t i = 0; i < HZ_MIX_FRAMES; i++)
    for (uint32_t side = 0; side < 2; side++)
      samples[2 * i + side] = to_s16(mixed[HZ_FINAL_MIX][m->inputs[side]][i] * m->mixes[HZ_FINAL_MIX].volume);
}
