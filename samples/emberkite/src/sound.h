/* Music and effects, synthesised: 48 kHz stereo, exactly SOUND_FRAMES sample frames a tick. */
#ifndef SOUND_H
#define SOUND_H

#include <stdint.h>

enum { SOUND_RATE = 48000, SOUND_FRAMES = 800 };

enum song_id { SONG_TITLE, SONG_LAKE, SONG_PEAKS, SONG_BOSS, SONG_WIN, SONG_LOSE, SONG_COUNT };

enum effect_id {
    EFFECT_SPARK,
    EFFECT_HIT,
    EFFECT_BURST,
    EFFECT_EMBER,
    EFFECT_GUST,
    EFFECT_HURT,
    EFFECT_ROAR,
    EFFECT_START,
    EFFECT_COUNT
};

struct sound;

struct sound *sound_new(void);
void sound_free(struct sound *s);
void sound_song(struct sound *s, enum song_id song);

/* `pan` -1 (left) .. 1 (right); `pitch` multiplies the effect's frequencies. */
void sound_effect(struct sound *s, enum effect_id effect, double pan, double pitch);

/* The next tick's samples, interleaved left, right. */
void sound_render(struct sound *s, int16_t out[SOUND_FRAMES * 2]);

#endif
