/* audren: the audio renderer, which mixes voices every 5 ms. */
#include "audren.h"

#include <stdlib.h>
#include <string.h>

#include "../../end.h"
#include "../../memory.h"
#include "../audio/output.h"
#include "../kernel/object.h"
#include "../kernel/shared.h"
#include "services.h"

#define AUDIO_BUSY HZ_RESULT(153, 8)
#define AUDIO_BAD_REQUEST HZ_RESULT(153, 41)
#define WORK_BUFFER_SIZE 0x100000u
#define CHANNELS 2u
#define STARTED 0u
#define STOPPED 1u
#define ONE 0x3f800000u /* 1.0 */
#define NAME_SIZE 0x100u

static hz_renderer_parameter parameter;
static hz_mixer mixer;
static hz_event *event;
static hz_object *work_buffer;
static bool started;
static uint32_t time_limit = 100;

static const void *memory(uint64_t addr, uint64_t size) { return rt_memory_at(addr, size, RT_READ); }

static void render(int16_t *samples, uint32_t frames) {
  (void)frames;
  hz_mixer_render(&mixer, samples);
  hz_event_signal(event);
}

static hz_result get_rate(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, parameter.rate);
  return HZ_OK;
}

static hz_result get_frames(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, parameter.frames);
  return HZ_OK;
}

static hz_result get_mix_buffers(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, parameter.mix_buffers);
  return HZ_OK;
}

static hz_result get_state(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, started ? STARTED : STOPPED);
  return HZ_OK;
}

static hz_result request_update(hz_instance *self, hz_request *r) {
  (void)self;
  const uint64_t size = r->in_count ? r->in[0].size : 0, room = r->out_count ? r->out[0].size : 0;
  const uint8_t *request = hz_in(r, 0, size);
  uint8_t *reply = hz_out(r, 0, room);
  if (!request || !reply || !hz_renderer_update(&mixer, &parameter, request, size, reply, room)) return AUDIO_BAD_REQUEST;
  return HZ_OK;
}

static hz_result start(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  if (!started) hz_output_render(render, HZ_MIX_FRAMES);
  started = true;
  return HZ_OK;
}

static hz_result stop(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  hz_output_render(NULL, 0);
  started = false;
  return HZ_OK;
}

static hz_result get_event(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_copy(r, event);
  return HZ_OK;
}

static hz_result set_time_limit(hz_instance *self, hz_request *r) {
  (void)self;
  time_limit = hz_get32(r, 0);
  return HZ_OK;
}

static hz_result get_time_limit(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, time_limit);
  return HZ_OK;
}

static void close(hz_instance *self) {
  (void)self;
  hz_output_render(NULL, 0);
  started = false;
  free(mixer.voices);
  free(mixer.channels);
  memset(&mixer, 0, sizeof mixer);
  hz_object_drop(event);
  hz_object_drop(work_buffer);
  event = NULL;
  work_buffer = NULL;
}

static const hz_command renderer_commands[] = {
    {0, "GetSampleRate", get_rate},          {1, "GetSampleCount", get_frames},
    {2, "GetMixBufferCount", get_mix_buffers}, {3, "GetState", get_state},
    {4, "RequestUpdate", request_update},    {5, "Start", start},
    {6, "Stop", stop},                       {7, "QuerySystemEvent", get_event},
    {8, "SetRenderingTimeLimit", set_time_limit}, {9, "GetRenderingTimeLimit", get_time_limit},
    {10, "RequestUpdateAuto", request_update}, {11, "ExecuteAudioRendererRendering", hz_success},
};
static HZ_INTERFACE(renderer, "audren.IAudioRenderer", renderer_commands, close);

static hz_result open_renderer(hz_instance *self, hz_request *r) {
  (void)self;
  if (event) return AUDIO_BUSY;
  parameter = (hz_renderer_parameter){hz_get32(r, 0), hz_get32(r, 4), hz_get32(r, 8), hz_get32(r, 0x0c),
                                      hz_get32(r, 0x10), hz_get32(r, 0x14), hz_get32(r, 0x18)};
  if (parameter.rate != HZ_RATE || parameter.frames != HZ_MIX_FRAMES || parameter.voices > HZ_MOST_VOICES ||
      parameter.submixes >= HZ_MOST_MIXES || parameter.effects > HZ_MOST_VOICES)
    return AUDIO_BAD_REQUEST;
  const uint32_t count = parameter.voices ? parameter.voices : 1;
  mixer = (hz_mixer){.voices = calloc(count, sizeof *mixer.voices), .voice_count = parameter.voices,
                     .channels = calloc(count, sizeof *mixer.channels), .channel_count = parameter.voices,
                     .mix_count = 1, .memory = memory};
  if (!mixer.voices || !mixer.channels) rt_fail("out of memory for %u voices", parameter.voices);
  event = hz_event_new();
  for (uint32_t i = 0; i < r->handle_count && !work_buffer; i++) {
    hz_object *object = hz_handle_get(r->handles[i], &hz_kind_transfer);
    if (object) work_buffer = hz_object_keep(object);
  }
  hz_give_object(r, hz_instance_new(&renderer, NULL, 0));
  return HZ_OK;
}

static hz_result get_work_buffer_size(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, WORK_BUFFER_SIZE);
  return HZ_OK;
}

/* The one device. */

static hz_result list_devices(hz_instance *self, hz_request *r) {
  (void)self;
  static const char name[NAME_SIZE] = "AudioTvOutput";
  hz_put32(r, hz_write_out(r, 0, name, sizeof name) > 0);
  return HZ_OK;
}

static hz_result get_volume(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, ONE);
  return HZ_OK;
}

static hz_result get_channels(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, CHANNELS);
  return HZ_OK;
}

static const hz_command device_commands[] = {
    {0, "ListAudioDeviceName", list_devices},          {1, "SetAudioDeviceOutputVolume", hz_success},
    {2, "GetAudioDeviceOutputVolume", get_volume},     {4, "QueryAudioDeviceSystemEvent", hz_idle_event},
    {5, "GetActiveChannelCount", get_channels},        {6, "ListAudioDeviceNameAuto", list_devices},
    {7, "SetAudioDeviceOutputVolumeAuto", hz_success}, {8, "GetAudioDeviceOutputVolumeAuto", get_volume},
    {11, "QueryAudioDeviceInputEvent", hz_idle_event}, {12, "QueryAudioDeviceOutputEvent", hz_idle_event},
};
static HZ_INTERFACE(device, "audren.IAudioDevice", device_commands, NULL);

static hz_result get_device_service(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&device, NULL, 0));
  return HZ_OK;
}

static const hz_command commands[] = {
    {0, "OpenAudioRenderer", open_renderer},
    {1, "GetWorkBufferSize", get_work_buffer_size},
    {2, "GetAudioDeviceService", get_device_service},
    {4, "GetAudioDeviceServiceWithRevisionInfo", get_device_service},
};
HZ_INTERFACE(hz_audren, "audren:u", commands, NULL);
