/* The audio renderer's update message. */
#ifndef HZ_AUDREN_H
#define HZ_AUDREN_H

#include "../audio/mixer.h"

typedef struct hz_renderer_parameter {
  uint32_t rate, frames, mix_buffers, submixes, voices, sinks, effects;
} hz_renderer_parameter;

/* Takes the request into the mixer and writes the reply; how long that is, 0 = the request is malformed or the reply
 * has no room. */
uint64_t hz_renderer_update(hz_mixer *mixer, const hz_renderer_parameter *parameter, const uint8_t *request, uint64_t size,
                            uint8_t *reply, uint64_t room);

#endif
