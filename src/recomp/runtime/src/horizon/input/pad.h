/* The game pad and the finger on the screen, as the input script moves them. */
#ifndef HZ_PAD_H
#define HZ_PAD_H

#include <stdbool.h>
#include <stdint.h>

/* Buttons. */
#define HZ_A (1u << 0)
#define HZ_B (1u << 1)
#define HZ_X (1u << 2)
#define HZ_Y (1u << 3)
#define HZ_STICK_L (1u << 4)
#define HZ_STICK_R (1u << 5)
#define HZ_L (1u << 6)
#define HZ_R (1u << 7)
#define HZ_ZL (1u << 8)
#define HZ_ZR (1u << 9)
#define HZ_PLUS (1u << 10)
#define HZ_MINUS (1u << 11)
#define HZ_LEFT (1u << 12)
#define HZ_UP (1u << 13)
#define HZ_RIGHT (1u << 14)
#define HZ_DOWN (1u << 15)
#define HZ_LEFT_STICK_FIRST 16 /* left, up, right, down: derived from the sticks */
#define HZ_RIGHT_STICK_FIRST 20

typedef struct hz_pad {
  uint64_t buttons;
  int32_t left_x, left_y, right_x, right_y; /* -32767..32767, up and right positive */
  bool touched;
  uint32_t touch_x, touch_y; /* of 1280 x 720 */
} hz_pad;

/* The state at the start of a tick; never of an earlier one than before. Events are recorded as they are read. */
const hz_pad *hz_pad_at(uint64_t tick);

#endif
