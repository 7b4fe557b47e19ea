#include "audren.h"

#include <stdio.h>
#include <string.h>

#include "../../record.h"

#define HEADER 0x40u
#define POOL_IN 0x20u
#define POOL_OUT 0x10u
#define CHANNEL_IN 0x70u
#define VOICE_IN 0x170u
#define VOICE_OUT 0x10u
#define EFFECT_OUT 0x10u
#define MIX_IN 0x930u
#define SINK_IN 0x140u
#define SINK_OUT 0x20u
#define PERFORMANCE_OUT 0x10u
#define BEHAVIOUR_OUT 0xb0u
#define WAVE_SIZE 0x38u
#define FILTER_AT 0x24u
#define FILTER_SIZE 12u

/* Sizes in a header. */
enum { REVISION, BEHAVIOUR, POOLS, VOICES, CHANNELS, EFFECTS, MIXES, SINKS, PERFORMANCE, TOTAL = 15 };

enum { REQUEST_DETACH = 2, DETACHED = 3, REQUEST_ATTACH = 4, ATTACHED = 5 };

static uint32_t get32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static uint64_t get64(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static float get_float(const uint8_t *at) {
  float value;
  memcpy(&value, at, sizeof value);
  return value;
}

static void put32(uint8_t *at, uint32_t value) { memcpy(at, &value, sizeof value); }

static void reply_pools(const uint8_t *in, uint32_t count, uint8_t *out) {
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t state = get32(in + i * POOL_IN + 0x10);
    put32(out + i * POOL_OUT, state == REQUEST_ATTACH ? ATTACHED : state == REQUEST_DETACH ? DETACHED : 0);
  }
}

static void take_channels(hz_mixer *m, const uint8_t *in, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t id = get32(in + i * CHANNEL_IN);
    if (id < m->channel_count) memcpy(m->channels[id], in + i * CHANNEL_IN + 4, sizeof *m->channels);
  }
}

/* Those of the ring that the program has added since the last time. */
static void take_waves(hz_voice *v, const uint8_t *in) {
  const uint32_t count = get32(in + 0x3c), head = get32(in + 0x40) & 0xffff;
  for (uint32_t n = 0; n < count && n < HZ_WAVES; n++) {
    const uint32_t i = (head + n) % HZ_WAVES;
    const uint8_t *w = in + 0x60 + i * WAVE_SIZE;
    if (w[0x1a] || v->waves[i].queued) continue;
    v->waves[i] = (hz_wave){get64(w), get64(w + 8), (int32_t)get32(w + 0x10), (int32_t)get32(w + 0x14), w[0x18] != 0, true};
  }
}

/* What the mixer leaves out of a voice is listed where the run ends. */
static void list_voice(const uint8_t *in) {
  static const char *const formats[] = {"invalid", "PCM8", "PCM16", "PCM24", "PCM32", "float", "ADPCM"};
  char name[64];
  const uint8_t format = in[11];
  if (format != HZ_FORMAT_S16 && format != HZ_FORMAT_FLOAT) {
    snprintf(name, sizeof name, "audren:u voice of format %u (%s)", format,
             format < sizeof formats / sizeof *formats ? formats[format] : "unknown");
    rt_record_unknown_name(name);
  }
  if (in[FILTER_AT] || in[FILTER_AT + FILTER_SIZE]) rt_record_unknown_name("audren:u filter of a voice");
}

/* Records of one size: type, whether new, whether used. */
static void list_effects(const uint8_t *in, uint32_t size, uint32_t count) {
  for (uint32_t i = 0; count && size / count >= 3 && i < count; i++) {
    const uint8_t *effect = in + i * (size / count);
    char name[64];
    snprintf(name, sizeof name, "audren:u effect of type %u", effect[0]);
    if (effect[1] && effect[2]) rt_record_unknown_name(name);
  }
}

static void take_voice(hz_voice *v, const uint8_t *in) {
  const bool is_new = in[8];
  if (in[9] && (is_new || !v->used)) list_voice(in);
  v->used = in[9];
  if (is_new || !v->used) {
    memset(v->waves, 0, sizeof v->waves);
    v->position = v->played = 0;
    v->wave = v->consumed = 0;
  }
  if (!v->used) return;
  v->plays = in[10] == 0;
  v->format = in[11];
  v->rate = get32(in + 0x0c);
  v->channels = get32(in + 0x18);
  if (v->channels > HZ_VOICE_CHANNELS) v->channels = HZ_VOICE_CHANNELS;
  v->pitch = get_float(in + 0x1c);
  v->volume = get_float(in + 0x20);
  v->destination = get32(in + 0x58);
  for (uint32_t c = 0; c < HZ_VOICE_CHANNELS; c++) v->channel_ids[c] = get32(in + 0x140 + 4 * c);
  take_waves(v, in);
}

static void take_voices(hz_mixer *m, const uint8_t *in, uint32_t count, uint8_t *out) {
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t id = get32(in + i * VOICE_IN);
    if (id >= m->voice_count) continue;
    take_voice(&m->voices[id], in + i * VOICE_IN);
    memcpy(out + i * VOICE_OUT, &m->voices[id].played, 8);
    put32(out + i * VOICE_OUT + 8, m->voices[id].consumed);
  }
}

static void take_mixes(hz_mixer *m, const uint8_t *in, uint32_t count) {
  for (uint32_t i = 0; i < count; i++, in += MIX_IN) {
    const uint32_t id = get32(in + 0x10);
    if (id >= HZ_MOST_MIXES || !in[0x0c]) continue;
    hz_mix *mix = &m->mixes[id];
    mix->used = true;
    mix->volume = get_float(in);
    mix->buffers = get32(in + 0x08) < HZ_MIX_BUFFERS ? get32(in + 0x08) : HZ_MIX_BUFFERS;
    memcpy(mix->matrix, in + 0x24, sizeof mix->matrix);
    mix->destination = get32(in + 0x924);
    if (mix->destination >= HZ_MOST_MIXES) mix->destination = HZ_FINAL_MIX;
    if (id >= m->mix_count) m->mix_count = id + 1;
  }
}

static void take_sinks(hz_mixer *m, const uint8_t *in, uint32_t count) {
  for (uint32_t i = 0; i < count; i++, in += SINK_IN) {
    if (!in[1] || in[0] != 1) continue;
    m->has_sink = true;
    m->inputs[0] = in[0x20 + 0x104] % HZ_MIX_BUFFERS;
    m->inputs[1] = in[0x20 + 0x105] % HZ_MIX_BUFFERS;
  }
}

uint64_t hz_renderer_update(hz_mixer *m, const hz_renderer_parameter *p, const uint8_t *request, uint64_t size,
                            uint8_t *reply, uint64_t room) {
  if (size < HEADER) return 0;
  uint32_t in[HEADER / 4];
  memcpy(in, request, sizeof in);
  const uint64_t parts = (uint64_t)in[BEHAVIOUR] + in[POOLS] + in[CHANNELS] + in[VOICES] + in[EFFECTS] + in[MIXES] + in[SINKS];
  if (parts > size - HEADER) return 0;
  const uint32_t pools = in[POOLS] / POOL_IN, voices = in[VOICES] / VOICE_IN, sinks = in[SINKS] / SINK_IN;
  const uint32_t out[] = {pools * POOL_OUT, voices * VOICE_OUT, p->effects * EFFECT_OUT, sinks * SINK_OUT,
                          PERFORMANCE_OUT, BEHAVIOUR_OUT};
  uint64_t total = HEADER;
  for (unsigned i = 0; i < sizeof out / sizeof *out; i++) total += out[i];
  if (total > room) return 0;
  memset(reply, 0, total);
  const uint32_t header[HEADER / 4] = {[REVISION] = in[REVISION], [BEHAVIOUR] = BEHAVIOUR_OUT, [POOLS] = out[0],
                                       [VOICES] = out[1], [EFFECTS] = out[2], [SINKS] = out[3],
                                       [PERFORMANCE] = PERFORMANCE_OUT, [TOTAL] = (uint32_t)total};
  memcpy(reply, header, sizeof header);
  const uint8_t *at = request + HEADER + in[BEHAVIOUR];
  reply_pools(at, pools, reply + HEADER);
  at += in[POOLS];
  take_channels(m, at, in[CHANNELS] / CHANNEL_IN);
  at += in[CHANNELS];
  take_voices(m, at, voices, reply + HEADER + out[0]);
  at += in[VOICES];
  list_effects(at, in[EFFECTS], p->effects);
  at += in[EFFECTS];
  take_mixes(m, at, in[MIXES] / MIX_IN);
  take_sinks(m, at + in[MIXES], sinks);
  return total;
}
