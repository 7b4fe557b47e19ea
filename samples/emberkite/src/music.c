#include "music.h"

#include <stdlib.h>
#include <string.h>

const struct song songs[SONG_COUNT] = {
    [SONG_TITLE] = {9, "F G Am C F G Em Am", "r.......f.......", "0.2.3.2.4.3.2.1.", "................",
                    "a4:4 c5:4 f5:6 e5:2 d5:4 b4:4 g4:8 c5:4 e5:4 a5:6 g5:2 g5:6 e5:2 c5:8 "
                    "f5:4 a5:4 c6:8 b5:4 g5:4 d5:8 e5:4 g5:4 b5:4 g5:4 a5:12 -:4",
                    0, 0},
    [SONG_LAKE] = {7, "Am F C G Am F G E", "r..r..o.r..r..f.", "0123421023435421", "k.h.s.hhk.khs.h.",
                   "a4:3 c5:3 e5:4 d5:2 c5:2 b4:2 c5:6 a4:4 f4:2 a4:2 c5:2 g4:3 c5:3 e5:4 g5:4 e5:2 d5:8 b4:4 d5:4 "
                   "e5:3 a5:3 e5:4 d5:2 c5:2 d5:2 c5:6 f5:4 e5:2 c5:4 d5:3 b4:3 g4:4 b4:2 d5:2 g5:2 g#5:6 e5:4 b4:2 e5:4",
                   0.3, 0},
    [SONG_PEAKS] = {8, "Dm A# F C Gm Dm A A", "r.....r...o.f...", "0243524302453421", "k...h.h.s...h.hh",
                    "d5:6 f5:2 a5:8 a#5:4 a5:4 f5:8 c5:6 f5:2 a5:6 g5:2 g5:12 e5:4 "
                    "a#5:3 a5:3 g5:4 d5:6 f5:6 e5:2 d5:8 c#5:4 e5:4 a5:4 g5:4 e5:8 c#5:8",
                    0.18, 0},
    [SONG_BOSS] = {6, "Em Em F F Em Em D# B", "rr.rr.o.rr.rr.fo", "0210201202102312", "k.khs.hkk.khs.ss",
                   "e5:2 -:2 e5:2 f5:2 e5:2 d5:2 b4:4 e5:2 g5:2 b5:4 a5:2 g5:2 e5:4 "
                   "f5:2 -:2 f5:2 g5:2 f5:2 e5:2 c5:4 a5:6 f5:2 c5:8 "
                   "b5:2 -:2 b5:2 c6:2 b5:2 a5:2 g5:4 e5:4 g5:4 b5:4 e6:4 d#6:6 a#5:2 g5:8 f#5:4 d#5:4 b4:4 -:4",
                   0.5, 0},
    [SONG_WIN] = {7, "C F G C F G Am C", "r...r...o...r.f.", "0123454321234543", "k.h.s.h.k.h.s.hh",
                  "g4:2 c5:2 e5:2 g5:6 e5:4 f5:4 a5:4 c6:8 b5:4 g5:4 d5:4 g5:4 e5:12 -:4 "
                  "a5:4 f5:4 c5:4 f5:4 g5:4 b5:4 d6:8 c6:6 b5:2 a5:8 c6:12 -:4",
                  0.25, 0},
    [SONG_LOSE] = {11, "Am Em F E", "r.......r.......", "0...2...1.......", "................",
                   "e5:4 d5:4 c5:8 b4:4 a4:4 g4:8 a4:4 g4:4 f4:8 e4:16", 0, 1},
};

static int semitone(char letter)
{
    switch (letter | 0x20) {
    case 'c': return 0;
    case 'd': return 2;
    case 'e': return 4;
    case 'f': return 5;
    case 'g': return 7;
    case 'a': return 9;
    default: return 11;
    }
}

int music_note(const char **text, int *steps)
{
    const char *p = *text + strspn(*text, " ");
    *steps = 0;
    if (!*p) return -1;
    int note = -1;
    if (*p == '-') {
        p++;
    } else {
        note = semitone(*p++);
        if (*p == '#') note++, p++;
        note += 12 * (*p++ - '0' + 1);
    }
    char *end;
    *steps = (int)strtol(p + 1, &end, 10);
    *text = end;
    return note;
}

struct chord music_chord(const char *chords, int bar)
{
    int count = 1;
    for (const char *p = chords; (p = strchr(p, ' ')); p++) count++;
    for (int skip = bar % count; skip > 0; skip--) chords = strchr(chords, ' ') + 1;
    struct chord chord = {48 + semitone(*chords++), 4};
    if (*chords == '#') chord.root++, chords++;
    if (*chords == 'm') chord.third = 3;
    return chord;
}

int music_chord_note(struct chord chord, int index)
{
    const int steps[3] = {0, chord.third, 7};
    return chord.root + steps[index % 3] + 12 * (index / 3);
}
