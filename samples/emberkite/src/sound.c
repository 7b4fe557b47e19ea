#include "sound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "music.h"
#include "voice.h"

enum { LEAD, ARP, BASS, PAD_LOW, PAD_HIGH, KICK, SNARE, HAT, VOICES };
enum { EFFECTS = 10, ECHO = 13440 /* 0.28 s */ };

struct running_effect {
    enum effect_id effect;
    double t, pitch, left, right;
    int active;
};

struct sound {
    struct voice voices[VOICES];
    struct running_effect effects[EFFECTS];
    int effect_next;
    const struct song *song;
    int tick, step; /* tick within the step, step since the song began */
    const char *lead;
    int lead_left, ended;
    double echo[ECHO][2];
    int echo_at;
    struct rng noise;
};

struct sound *sound_new(void)
{
    struct sound *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    rng_seed(&s->noise, 20, 3);
    sound_song(s, SONG_TITLE);
    return s;
}

void sound_free(struct sound *s)
{
    free(s);
}

void sound_song(struct sound *s, enum song_id song)
{
    if (s->song == &songs[song]) return;
    s->song = &songs[song];
    s->tick = s->step = s->lead_left = s->ended = 0;
    s->lead = s->song->lead;
    for (int i = 0; i < VOICES; i++) s->voices[i].target *= 0.1;
}

void sound_effect(struct sound *s, enum effect_id effect, double pan, double pitch)
{
    if (pan < -0.9) pan = -0.9;
    if (pan > 0.9) pan = 0.9;
    struct running_effect *e = &s->effects[s->effect_next];
    s->effect_next = (s->effect_next + 1) % EFFECTS;
    *e = (struct running_effect){effect, 0, pitch, sqrt(0.5 - 0.5 * pan), sqrt(0.5 + 0.5 * pan), 1};
}

static void step_lead(struct sound *s)
{
    if (s->lead_left-- > 0) return;
    int steps, note = music_note(&s->lead, &steps);
    if (steps == 0) {
        if (s->song->once) {
            s->ended = 1;
            return;
        }
        s->lead = s->song->lead;
        note = music_note(&s->lead, &steps);
    }
    s->lead_left = steps - 1;
    struct voice *v = &s->voices[LEAD];
    if (note < 0) {
        v->target = 0;
        return;
    }
    int bell = s->song->lead_duty == 0;
    voice_start(v, bell ? PLAY_BELL : PLAY_PULSE, note, bell ? 0.30 : 0.17, bell ? 0.35 : 0.28 + 0.05 * steps, 0.12);
    v->duty = s->song->lead_duty;
}

static void step_drums(struct sound *s, char what)
{
    switch (what) {
    case 'k':
        voice_start(&s->voices[KICK], PLAY_KICK, 36, 0.62, 0.08, 0);
        break;
    case 's':
        voice_start(&s->voices[SNARE], PLAY_SNARE, 50, 0.24, 0.045, -0.1);
        break;
    case 'h':
        voice_start(&s->voices[HAT], PLAY_HAT, 90, 0.16, 0.018, 0.3);
        break;
    default:
        break;
    }
}

static void step_harmony(struct sound *s, int beat, struct chord chord)
{
    char bass = s->song->bass[beat], arp = s->song->arp[beat];
    if (bass != '.') {
        int note = chord.root - 12 + (bass == 'o' ? 12 : bass == 'f' ? 7 : 0);
        voice_start(&s->voices[BASS], PLAY_BASS, note, 0.34, 0.16, 0);
    }
    if (arp != '.')
        voice_start(&s->voices[ARP], PLAY_BELL, music_chord_note(chord, arp - '0') + 12, 0.13, 0.09, s->step & 1 ? 0.5 : -0.5);
    if (beat == 0) {
        voice_start(&s->voices[PAD_LOW], PLAY_PAD, chord.root + 12 + chord.third, 0.13, 1.6, -0.6);
        voice_start(&s->voices[PAD_HIGH], PLAY_PAD, chord.root + 19, 0.13, 1.6, 0.6);
    }
}

static void step_song(struct sound *s)
{
    if (s->ended) return;
    if (s->tick == 0) {
        int beat = s->step % 16;
        step_lead(s);
        if (!s->ended) step_harmony(s, beat, music_chord(s->song->chords, s->step / 16));
        step_drums(s, s->song->drums[beat]);
        s->step++;
    }
    s->tick = (s->tick + 1) % s->song->step_ticks;
}

static int16_t to_sample(double x)
{
    return (int16_t)floor(x / sqrt(1.0 + x * x) * 30000.0 + 0.5); /* bends instead of clipping */
}

static void add_effects(struct sound *s, double *left, double *right)
{
    for (int i = 0; i < EFFECTS; i++) {
        struct running_effect *e = &s->effects[i];
        if (!e->active) continue;
        double x = effect_sample(e->effect, e->t, e->pitch, &s->noise);
        *left += x * e->left;
        *right += x * e->right;
        e->t += 1.0 / SOUND_RATE;
        if (e->t >= effect_length[e->effect]) e->active = 0;
    }
}

void sound_render(struct sound *s, int16_t out[SOUND_FRAMES * 2])
{
    step_song(s);
    for (int i = 0; i < SOUND_FRAMES; i++) {
        double left = 0, right = 0, send_left = 0, send_right = 0;
        for (int v = 0; v < VOICES; v++) {
            double x = voice_sample(&s->voices[v], &s->noise), send = v <= ARP ? 0.4 : v == SNARE ? 0.12 : 0.0;
            left += x * s->voices[v].left;
            right += x * s->voices[v].right;
            send_left += x * send * s->voices[v].left;
            send_right += x * send * s->voices[v].right;
        }
        double fx_left = 0, fx_right = 0;
        add_effects(s, &fx_left, &fx_right);
        double *echo = s->echo[s->echo_at], from_left = echo[0], from_right = echo[1];
        echo[0] = send_left + fx_left * 0.25 + from_right * 0.42; /* the echo changes sides each time */
        echo[1] = send_right + fx_right * 0.25 + from_left * 0.42;
        s->echo_at = (s->echo_at + 1) % ECHO;
        out[2 * i] = to_sample(left + fx_left + from_left);
        out[2 * i + 1] = to_sample(right + fx_right + from_right);
    }
}
