/* The audio renderer's mixing: voices read wave buffers, are resampled, and meet in mixes; the final one is heard.
 * 16-bit and float samples; other formats, filters and effects stay silent or are left out. */
#ifndef HZ_MIXER_H
#define HZ_MIXER_H

#include <stdbool.h>
#include <stdint.h>

#define HZ_MIX_BUFFERS 24u
#define HZ_MIX_FRAMES 240u /* sample frames at a time: 5 ms */
#define HZ_WAVES 4u
#define HZ_VOICE_CHANNELS 6u
#define HZ_MOST_VOICES 1024u
#define HZ_MOST_MIXES 64u
#define HZ_FINAL_MIX 0u
#define HZ_NO_MIX 0x7fffffffu
#define HZ_FORMAT_S16 2u
#define HZ_FORMAT_FLOAT 5u

typedef struct hz_wave {
  uint64_t addr, size;
  int32_t start, end; /* sample frames */
  bool loops, queued;
} hz_wave;

typedef struct hz_voice {
  bool used, plays;
  uint8_t format;
  uint32_t rate, channels, destination;
  float pitch, volume;
  hz_wave waves[HZ_WAVES];
  uint32_t channel_ids[HZ_VOICE_CHANNELS];
  uint32_t wave;     /* that plays, or comes next */
  uint64_t position; /* in it, 32.32 sample frames from its start */
  uint64_t played;   /* source sample frames */
  uint32_t consumed; /* wave buffers */
} hz_voice;

typedef struct hz_mix {
  bool used;
  float volume;
  uint32_t buffers, destination;
  float matrix[HZ_MIX_BUFFERS][HZ_MIX_BUFFERS]; /* [from][to] */
} hz_mix;

typedef struct hz_mixer {
  hz_voice *voices;
  uint32_t voice_count;
  float (*channels)[HZ_MIX_BUFFERS]; /* gains of a voice's channel into each buffer */
  uint32_t channel_count;
  hz_mix mixes[HZ_MOST_MIXES];
  uint32_t mix_count;
  uint8_t inputs[2]; /* buffers of the final mix that go left and right */
  bool has_sink;
  const void *(*memory)(uint64_t addr, uint64_t size); /* the program's, NULL where it is not there */
} hz_mixer;

/* Mixes the next HZ_MIX_FRAMES at 48 kHz, interleaved stereo. */
void hz_mixer_render(hz_mixer *mixer, int16_t *samples);

#endif
