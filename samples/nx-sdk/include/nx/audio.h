/* Sound: 48 kHz, two channels, signed 16 bit. Blocks are appended and come back when they have been played. */
#ifndef NX_AUDIO_H
#define NX_AUDIO_H

#include "types.h"

enum { NX_AUDIO_RATE = 48000 };

struct nx_audio_block {
    uint64_t next;
    const int16_t *samples;
    uint64_t capacity, size, offset; /* bytes */
};

nx_result nx_audio_open(void);
void nx_audio_close(void);
nx_result nx_audio_start(void);
nx_result nx_audio_stop(void);

/* The block and its samples must stay as they are until the block comes back. */
nx_result nx_audio_append(struct nx_audio_block *block);

/* A block that has been played, or NULL. */
nx_result nx_audio_released(struct nx_audio_block **block);

/* Waits until one comes back. */
nx_result nx_audio_wait(struct nx_audio_block **block, int64_t timeout_ns);
nx_result nx_audio_contains(const struct nx_audio_block *block, bool *held);
nx_result nx_audio_count(uint32_t *count);
nx_result nx_audio_state(uint32_t *stopped);

#endif
