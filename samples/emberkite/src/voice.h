/* Sound sources: the instruments that play the songs, and the effects. */
#ifndef VOICE_H
#define VOICE_H

#include "rng.h"
#include "sound.h"

enum instrument { PLAY_PULSE, PLAY_BELL, PLAY_BASS, PLAY_PAD, PLAY_KICK, PLAY_SNARE, PLAY_HAT };

struct voice {
    enum instrument instrument;
    double step;         /* cycles a sample */
    double phase, other; /* cycles */
    double level, target, decay; /* decay: factor a sample */
    double duty, filter;
    double left, right;
    int age; /* samples */
};

void voice_start(struct voice *v, enum instrument instrument, double note, double level, double half_life, double pan);
double voice_sample(struct voice *v, struct rng *noise);

/* One sample of an effect `t` seconds after its start; effect_length says after how many seconds it is over. */
double effect_sample(enum effect_id effect, double t, double pitch, struct rng *noise);
extern const double effect_length[EFFECT_COUNT];

#endif
