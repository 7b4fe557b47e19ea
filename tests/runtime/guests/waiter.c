/* Two threads: one waits for input, by poll with a timeout and by a blocking read in turn, and says what it read; the
 * other draws a picture at each tick of what was read so far, and yields a lot. */
#include "guest.h"

#define FB (DATA + 0x100)
#define PATH (DATA + 0x1000)
#define EVENT (DATA + 0x2000)
#define POLL (DATA + 0x3000)
#define TIME (DATA + 0x3100)
#define STACK (DATA + 0x8000)
#define TICKS 60

static uint32_t reads, timeouts, last_code;
static int64_t input;

GUEST(wait_for_input) {
  for (uint32_t turn = 0;; turn++) {
    if (turn % 2 == 0) {
      int32_t *fd = at(c, POLL);
      fd[0] = (int32_t)input, fd[1] = 1; /* POLLIN */
      uint64_t *time = at(c, TIME);
      time[0] = 0, time[1] = 55000000;
      if (sys(c, 73, POLL, 1, TIME, 0) == 0) {
        timeouts++;
        continue;
      }
    }
    if (sys(c, 63, input, EVENT, 24) != 24) break;
    uint16_t *e = at(c, EVENT + 16);
    reads++, last_code = last_code * 31 + e[1] + e[2];
  }
  sys(c, 93, 0);
  return 0;
}

GUEST(run) {
  int64_t fb = sys(c, 56, -100, text_at(c, PATH, "/dev/fb0"), 2);
  input = sys(c, 56, -100, text_at(c, PATH, "/dev/input/event0"), 0);
  EXPECT(c, fb == 3 && input == 4);
  int64_t pixels = sys(c, 222, 0, 5120 * 1440, 3, 1, fb, 0);
  EXPECT(c, pixels > 0);
  EXPECT(c, sys(c, 220, 0x50f00, STACK, 0, 0, 0) > 0);
  for (uint32_t tick = 0; tick < TICKS; tick++) {
    for (uint32_t k = 0; k < 20; k++) sys(c, 124);
    uint32_t *row = at(c, (uint64_t)pixels);
    row[0] = reads, row[1] = timeouts, row[2] = last_code, row[3] = tick;
    EXPECT(c, sys(c, 29, fb, 0x40044620, FB + 512) == 0);
  }
  sys(c, 94, 0);
  return 0;
}

GUEST_MODULE({TEXT + 4, TEXT + 4, wait_for_input});
