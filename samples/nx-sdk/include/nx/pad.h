/* Controllers, keyboard and touch, read from the memory that the system shares. */
#ifndef NX_PAD_H
#define NX_PAD_H

#include "types.h"

enum nx_button {
    NX_A = 1 << 0, NX_B = 1 << 1, NX_X = 1 << 2, NX_Y = 1 << 3, NX_STICK_L = 1 << 4, NX_STICK_R = 1 << 5,
    NX_L = 1 << 6, NX_R = 1 << 7, NX_ZL = 1 << 8, NX_ZR = 1 << 9, NX_PLUS = 1 << 10, NX_MINUS = 1 << 11,
    NX_LEFT = 1 << 12, NX_UP = 1 << 13, NX_RIGHT = 1 << 14, NX_DOWN = 1 << 15,
};

struct nx_pad {
    bool connected, handheld;
    uint64_t buttons;
    int32_t left_x, left_y, right_x, right_y; /* -32768 .. 32767, up is positive */
};

struct nx_touch {
    uint32_t finger;
    int32_t x, y; /* 0-1279, 0-719 */
};

nx_result nx_pad_open(void);
void nx_pad_close(void);

/* The newest state of player 1, else of the handheld. */
struct nx_pad nx_pad_read(void);

/* Whether a key is down now, by its USB usage number. */
bool nx_key_down(unsigned usage);

/* Fingers on the glass now, at most `most` of them; returns how many. */
int nx_touch_read(struct nx_touch *touches, int most);

#endif
