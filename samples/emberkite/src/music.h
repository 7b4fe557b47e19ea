/* The songs as data: chords, rhythms and a melody, all written as text. */
#ifndef MUSIC_H
#define MUSIC_H

#include "sound.h"

struct song {
    int step_ticks;     /* length of a sixteenth */
    const char *chords; /* one a bar of 16 steps: "Am F C# Gm" */
    const char *bass;   /* 16 steps: r root, o octave above, f fifth, . nothing */
    const char *arp;    /* 16 steps: 0..5 = note of the chord, counted upwards; . nothing */
    const char *drums;  /* 16 steps: k kick, s snare, h hat, . nothing */
    const char *lead;   /* NOTE:STEPS ..., "-" is a rest: "a4:3 c#5:1 -:4" */
    double lead_duty;   /* of the pulse, 0..1; 0 = a bell instead */
    int once;           /* ends after the melody */
};

struct chord {
    int root;  /* MIDI note number of the root in octave 3 */
    int third; /* 3 minor, 4 major */
};

extern const struct song songs[SONG_COUNT];

/* Reads one melody note and moves *text behind it. Returns its MIDI number, or -1 for a rest; 0 steps at the end. */
int music_note(const char **text, int *steps);

/* The chord of bar `bar`, counted around. */
struct chord music_chord(const char *chords, int bar);

/* Note `index` (0 root, 1 third, 2 fifth, 3 octave, ...) of a chord. */
int music_chord_note(struct chord chord, int index);

#endif
