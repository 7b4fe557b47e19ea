/* audout: one stream of 16-bit stereo at 48 kHz. */
#include <string.h>

#include "../../memory.h"
#include "../audio/output.h"
#include "../kernel/object.h"
#include "services.h"

#define AUDIO_BUSY HZ_RESULT(153, 8)
#define AUDIO_FULL HZ_RESULT(153, 8)
#define AUDIO_BAD_RATE HZ_RESULT(153, 3)
#define AUDIO_BAD_CHANNELS HZ_RESULT(153, 10)
#define NAME_SIZE 0x100u
#define FORMAT_S16 2u
#define STARTED 0u
#define STOPPED 1u
#define MOST_BYTES (1u << 22) /* of one buffer */
#define ONE 0x3f800000u       /* 1.0 */

static hz_player player;
static hz_event *event;
static uint32_t volume = ONE;
static uint64_t started_at;

static void released(void) { hz_event_signal(event); }

static hz_result list_outs(hz_instance *self, hz_request *r) {
  (void)self;
  static const char name[NAME_SIZE] = "DeviceOut";
  hz_put32(r, hz_write_out(r, 0, name, sizeof name) > 0);
  return HZ_OK;
}

static hz_result get_state(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, player.started ? STARTED : STOPPED);
  return HZ_OK;
}

static hz_result start(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  if (player.started) return AUDIO_BUSY;
  started_at = hz_output_now();
  hz_player_start(&player, started_at);
  hz_output_advance(hz_output_time(started_at));
  return HZ_OK;
}

static hz_result stop(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  hz_player_stop(&player, hz_output_now());
  return HZ_OK;
}

static void scale(int16_t *samples, uint32_t count) {
  float factor;
  memcpy(&factor, &volume, sizeof factor);
  for (uint32_t i = 0; i < count; i++) {
    const float value = (float)samples[i] * factor;
    samples[i] = value > 32767.0f ? 32767 : value < -32768.0f ? -32768 : (int16_t)value;
  }
}

/* Samples are taken as they are now: who changes a queued buffer has a bug on the console too. */
static hz_result append(hz_instance *self, hz_request *r) {
  (void)self;
  static int16_t samples[MOST_BYTES / sizeof(int16_t)];
  uint64_t buffer[5]; /* next, data, capacity, size, offset */
  const void *described = hz_in(r, 0, sizeof buffer);
  if (!described) return HZ_INVALID_POINTER;
  memcpy(buffer, described, sizeof buffer);
  const uint64_t size = buffer[3] < MOST_BYTES ? buffer[3] : MOST_BYTES;
  if (!rt_memory_get(samples, buffer[1] + buffer[4], size)) return HZ_INVALID_POINTER;
  if (volume != ONE) scale(samples, (uint32_t)(size / sizeof *samples));
  if (!hz_player_append(&player, hz_get64(r, 0), samples, (uint32_t)(size / (HZ_CHANNELS * sizeof *samples)), hz_output_now()))
    return AUDIO_FULL;
  hz_output_advance(hz_output_time(hz_output_now()));
  return HZ_OK;
}

static hz_result get_event(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_copy(r, event);
  return HZ_OK;
}

static hz_result get_released(hz_instance *self, hz_request *r) {
  (void)self;
  uint64_t tags[HZ_SOUNDS * 2] = {0};
  const uint64_t size = r->out_count ? r->out[0].size : 0, room = size / sizeof *tags;
  const uint32_t most = room < HZ_SOUNDS * 2 ? (uint32_t)room : HZ_SOUNDS * 2;
  const uint32_t n = hz_player_take_released(&player, tags, most);
  hz_write_out(r, 0, tags, most * sizeof *tags);
  hz_put32(r, n);
  return HZ_OK;
}

static hz_result contains(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, hz_player_has(&player, hz_get64(r, 0)));
  return HZ_OK;
}

static hz_result get_count(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, player.count);
  return HZ_OK;
}

static hz_result get_played(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, player.started ? hz_output_now() - started_at : 0);
  return HZ_OK;
}

static hz_result flush(hz_instance *self, hz_request *r) {
  (void)self;
  hz_player_flush(&player, hz_output_now());
  if (player.released_count) released();
  hz_put8(r, 1);
  return HZ_OK;
}

static hz_result set_volume(hz_instance *self, hz_request *r) {
  (void)self;
  volume = hz_get32(r, 0);
  return HZ_OK;
}

static hz_result get_volume(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, volume);
  return HZ_OK;
}

static void close(hz_instance *self) {
  (void)self;
  hz_player_flush(&player, hz_output_now());
  memset(&player, 0, sizeof player);
  hz_output_detach();
  hz_object_drop(event);
  event = NULL;
}

static const hz_command out_commands[] = {
    {0, "GetAudioOutState", get_state},
    {1, "Start", start},
    {2, "Stop", stop},
    {3, "AppendAudioOutBuffer", append},
    {4, "RegisterBufferEvent", get_event},
    {5, "GetReleasedAudioOutBuffers", get_released},
    {6, "ContainsAudioOutBuffer", contains},
    {7, "AppendAudioOutBufferAuto", append},
    {8, "GetReleasedAudioOutBuffersAuto", get_released},
    {9, "GetAudioOutBufferCount", get_count},
    {10, "GetAudioOutPlayedSampleCount", get_played},
    {11, "FlushAudioOutBuffers", flush},
    {12, "SetAudioOutVolume", set_volume},
    {13, "GetAudioOutVolume", get_volume},
};
static HZ_INTERFACE(audio_out, "audout.IAudioOut", out_commands, close);

static hz_result open_out(hz_instance *self, hz_request *r) {
  (void)self;
  static const char name[NAME_SIZE] = "DeviceOut";
  const uint32_t rate = hz_get32(r, 0), channels = hz_get32(r, 4) >> 16;
  if (event) return AUDIO_BUSY;
  if (rate && rate != HZ_RATE) return AUDIO_BAD_RATE;
  if (channels && channels != HZ_CHANNELS) return AUDIO_BAD_CHANNELS;
  event = hz_event_new();
  hz_output_attach(&player, released);
  hz_write_out(r, 0, name, sizeof name);
  hz_put32(r, HZ_RATE);
  hz_put32(r, HZ_CHANNELS);
  hz_put32(r, FORMAT_S16);
  hz_put32(r, STOPPED);
  hz_give_object(r, hz_instance_new(&audio_out, NULL, 0));
  return HZ_OK;
}

static const hz_command commands[] = {
    {0, "ListAudioOuts", list_outs}, {1, "OpenAudioOut", open_out},
    {2, "ListAudioOutsAuto", list_outs}, {3, "OpenAudioOutAuto", open_out},
};
HZ_INTERFACE(hz_audout, "audout:u", commands, NULL);
