/* A small game: a picture, a sound and an answer to each key, for 100 ticks; draws into two pages and pans. */
#include "guest.h"

#define FB (DATA + 0x100)
#define PATH (DATA + 0x1000)
#define EVENT (DATA + 0x2000)
#define SOUND (DATA + 0x3000)
#define TICKS 100

static uint32_t picture(uint32_t x, uint32_t y, uint32_t tick) {
  if (tick >= 40 && tick < 60) tick = 40; /* a still */
  uint32_t cell = (x / 4 + tick) / 16 * 7 + y / 4 / 16 * 13;
  return (cell * 2654435761u) >> 8 & 0xffffff;
}

GUEST(run) {
  int64_t fb = sys(c, 56, -100, text_at(c, PATH, "/dev/fb0"), 2);
  int64_t input = sys(c, 56, -100, text_at(c, PATH, "/dev/input/event0"), 04000);
  int64_t dsp = sys(c, 56, -100, text_at(c, PATH, "/dev/dsp"), 1);
  EXPECT(c, fb == 3 && input == 4 && dsp == 5);
  EXPECT(c, sys(c, 29, fb, 0x4600, FB) == 0);
  uint32_t *mode = at(c, FB);
  EXPECT(c, mode[0] == 1280 && mode[1] == 720 && mode[3] == 1440 && mode[6] == 32 && mode[8] == 16);
  EXPECT(c, sys(c, 29, fb, 0x4602, FB + 256) == 0);
  uint32_t stride = *(uint32_t *)at(c, FB + 256 + 48);
  EXPECT(c, stride == 5120);
  int64_t pixels = sys(c, 222, 0, stride * 1440, 3, 1, fb, 0);
  EXPECT(c, pixels > 0);
  int32_t *rate = at(c, FB + 512);
  *rate = 48000;
  EXPECT(c, sys(c, 29, dsp, 0xc0045002, FB + 512) == 0 && *rate == 48000);

  uint32_t presses = 0;
  for (uint32_t tick = 0; tick < TICKS; tick++) {
    while (sys(c, 63, input, EVENT, 24) == 24) {
      uint16_t *e = at(c, EVENT + 16);
      if (e[0] == 1 && e[2] == 1) presses++;
    }
    uint32_t page = tick % 2;
    for (uint32_t y = 0; y < 720; y++) {
      uint32_t *row = at(c, (uint64_t)pixels + (page * 720 + y) * stride);
      for (uint32_t x = 0; x < 1280; x++) row[x] = picture(x, y, tick);
    }
    *(uint32_t *)at(c, (uint64_t)pixels + page * 720 * stride) = 0xff000000 | presses; /* X is not shown */
    int16_t *sound = at(c, SOUND);
    for (uint32_t i = 0; i < 800; i++) sound[2 * i] = (int16_t)(tick * 800 + i), sound[2 * i + 1] = (int16_t)-(int)tick;
    EXPECT(c, sys(c, 64, dsp, SOUND, 3200) == 3200);
    mode[5] = page * 720;
    EXPECT(c, sys(c, 29, fb, 0x4606, FB) == 0);
    EXPECT(c, sys(c, 29, fb, 0x40044620, FB + 512) == 0);
  }
  sys(c, 94, 0);
  return 0;
}

GUEST_MODULE({TEXT + 4, TEXT + 4, run});
