#include "voice.h"

#include <math.h>

#define TWO_PI 6.28318530717958647692

static double white(struct rng *noise)
{
    return rng_next(noise) * (2.0 / 4294967296.0) - 1.0;
}

void voice_start(struct voice *v, enum instrument instrument, double note, double level, double half_life, double pan)
{
    v->instrument = instrument;
    v->step = 440.0 * pow(2.0, (note - 69.0) / 12.0) / SOUND_RATE;
    v->target = level;
    v->decay = exp(-log(2.0) / (half_life * SOUND_RATE));
    v->left = sqrt(0.5 - 0.5 * pan);
    v->right = sqrt(0.5 + 0.5 * pan);
    v->age = 0;
    if (instrument >= PLAY_KICK) v->phase = 0;
}

/* A jump of a pulse or saw, rounded over the sample on either side: what keeps high notes from ringing falsely. */
static double round_jump(double phase, double step)
{
    if (phase < step) {
        double t = phase / step;
        return t + t - t * t - 1.0;
    }
    if (phase > 1.0 - step) {
        double t = (phase - 1.0) / step;
        return t * t + t + t + 1.0;
    }
    return 0.0;
}

static double pulse(double phase, double step, double duty)
{
    double falls = phase - duty;
    if (falls < 0) falls += 1.0;
    return (phase < duty ? 1.0 : -1.0) + round_jump(phase, step) - round_jump(falls, step);
}

static double saw(double phase, double step)
{
    return 2.0 * phase - 1.0 - round_jump(phase, step);
}

static double wrap(double phase)
{
    return phase - floor(phase);
}

static double play_pulse(struct voice *v, struct rng *noise)
{
    (void)noise;
    double vibrato = v->age > 9000 ? 1.0 + 0.004 * sin(v->age * (TWO_PI * 5.5 / SOUND_RATE)) : 1.0;
    v->phase = wrap(v->phase + v->step * vibrato);
    v->other = wrap(v->other + v->step * 1.003);
    return 0.6 * pulse(v->phase, v->step, v->duty) + 0.4 * saw(v->other, v->step);
}

static double play_bell(struct voice *v, struct rng *noise)
{
    (void)noise;
    v->phase = wrap(v->phase + v->step);
    double bright = 2.2 * exp(-v->age / 9000.0);
    return sin(TWO_PI * v->phase + bright * sin(TWO_PI * 2.0 * v->phase));
}

static double play_bass(struct voice *v, struct rng *noise)
{
    (void)noise;
    v->phase = wrap(v->phase + v->step);
    double triangle = 4.0 * fabs(v->phase - 0.5) - 1.0;
    v->filter += (saw(v->phase, v->step) - v->filter) * 0.06;
    return triangle * 0.8 + v->filter * 0.5;
}

static double play_pad(struct voice *v, struct rng *noise)
{
    (void)noise;
    v->phase = wrap(v->phase + v->step * 0.997);
    v->other = wrap(v->other + v->step * 1.004);
    v->filter += (saw(v->phase, v->step) + saw(v->other, v->step) - v->filter) * 0.045;
    return v->filter;
}

static double play_kick(struct voice *v, struct rng *noise)
{
    double t = v->age / (double)SOUND_RATE;
    v->phase = wrap(v->phase + (46.0 + 150.0 * exp(-t * 36.0)) / SOUND_RATE);
    return sin(TWO_PI * v->phase) + (v->age < 90 ? 0.3 * white(noise) : 0.0);
}

static double play_snare(struct voice *v, struct rng *noise)
{
    v->phase = wrap(v->phase + 190.0 / SOUND_RATE);
    return 0.75 * white(noise) + 0.4 * sin(TWO_PI * v->phase);
}

static double play_hat(struct voice *v, struct rng *noise)
{
    double fresh = white(noise), high = fresh - v->filter;
    v->filter = fresh;
    return high * 0.5;
}

double voice_sample(struct voice *v, struct rng *noise)
{
    static double (*const play[])(struct voice *, struct rng *) = {
        [PLAY_PULSE] = play_pulse, [PLAY_BELL] = play_bell,   [PLAY_BASS] = play_bass, [PLAY_PAD] = play_pad,
        [PLAY_KICK] = play_kick,   [PLAY_SNARE] = play_snare, [PLAY_HAT] = play_hat};
    if (v->target < 1e-4 && v->level < 1e-4) return 0.0;
    v->level += (v->target - v->level) * 0.02; /* no clicks */
    v->target *= v->decay;
    v->age++;
    return play[v->instrument](v, noise) * v->level;
}

/* ---- effects --------------------------------------------------------------------------------------------------- */

const double effect_length[EFFECT_COUNT] = {
    [EFFECT_SPARK] = 0.12, [EFFECT_HIT] = 0.1,   [EFFECT_BURST] = 0.5, [EFFECT_EMBER] = 0.3,
    [EFFECT_GUST] = 0.7,   [EFFECT_HURT] = 0.55, [EFFECT_ROAR] = 1.3,  [EFFECT_START] = 0.6,
};

double effect_sample(enum effect_id effect, double t, double pitch, struct rng *noise)
{
    double wave;
    switch (effect) {
    case EFFECT_SPARK: /* a falling chirp: the phase is the integral of its frequency */
        wave = sin(TWO_PI * pitch * (500.0 * t + 45.0 * (1.0 - exp(-t * 24.0))));
        return (wave > 0 ? 0.13 : -0.13) * exp(-t * 30.0);
    case EFFECT_HIT:
        return 0.22 * exp(-t * 46.0) * (0.6 * white(noise) + sin(TWO_PI * 320.0 * pitch * t));
    case EFFECT_BURST:
        return 0.5 * exp(-t * 9.0) * (0.6 * white(noise) + 0.7 * sin(TWO_PI * pitch * (60.0 * t + 9.0 * (1.0 - exp(-t * 14.0)))));
    case EFFECT_EMBER:
        return 0.15 * exp(-t * 13.0) * (sin(TWO_PI * 1046.5 * pitch * t) + 0.6 * sin(TWO_PI * 1568.0 * pitch * (t > 0.05 ? t : 0)));
    case EFFECT_GUST:
        return 0.34 * sin(t * 4.4) * exp(-t * 4.0) * (white(noise) + 0.5 * sin(TWO_PI * pitch * 130.0 * t * (1.0 + 1.4 * t)));
    case EFFECT_HURT:
        wave = fmod(t * pitch * 220.0 * (1.0 - 0.7 * t), 1.0);
        return 0.42 * exp(-t * 6.0) * (wave - 0.5 + 0.35 * white(noise));
    case EFFECT_ROAR:
        wave = sin(TWO_PI * 58.0 * pitch * t + 3.0 * sin(TWO_PI * 23.0 * pitch * t) + white(noise) * 0.5);
        return 0.6 * wave * sin(t * 2.4) * exp(-t * 1.6);
    case EFFECT_START:
        return 0.2 * exp(-t * 6.0) * sin(TWO_PI * pitch * 523.25 * (t < 0.08 ? 1.0 : t < 0.16 ? 1.259921 : 1.498307) * t);
    default:
        return 0.0;
    }
}
