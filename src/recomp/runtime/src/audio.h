/* The virtual sound card: a queue that is played at its rate in the guest's time, into audio.pcm.
 *
 * Sample frame k of the recording is what played at k / rate seconds: silence where nothing was queued. A guest that
 * queues rate / 60 sample frames before each tick ends has exactly those recorded. */
#ifndef RT_AUDIO_H
#define RT_AUDIO_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

#define RT_AUDIO_FRAMES 65536u /* the most sample frames that can wait */
#define RT_AUDIO_MIN_RATE 4000u
#define RT_AUDIO_MAX_RATE 192000u

/* Before the start: what will be played, s16le. The card has one format per run: once started, it stays. */
void rt_audio_configure(uint32_t rate_hz, uint32_t channels);
uint32_t rt_audio_rate(void);
uint32_t rt_audio_channels(void);

/* The first sound is about to be queued: the recording of sound starts, with silence up to now. */
void rt_audio_start(void);
bool rt_audio_started(void);

/* Queues sample frames (interleaved); there has to be room: RT_AUDIO_FRAMES - rt_audio_waiting(). */
void rt_audio_queue(const int16_t *samples, uint32_t frames);

/* Sample frames that are queued and not played yet, at the time up to which rt_audio_play was called. */
uint32_t rt_audio_waiting(void);

/* Drops what is queued. */
void rt_audio_reset(void);

/* The earliest time at which at most `frames` are still waiting. */
uint64_t rt_audio_time_until(uint32_t frames);

/* Plays up to a time. Recording's lock held. */
void rt_audio_play(uint64_t now);

/* The run is over: what still waits is played at once. Recording's lock held. */
void rt_audio_drain(void);

/* Adds run.json's "audio". */
void rt_audio_describe(rt_text *text);

void rt_audio_forget(void);

#endif
