/* Waiting for several things at once: input, sound, pipes, time; blocking reads; the clock that is only looked at. */
#include "guest.h"

#define PATH DATA
#define FDS (DATA + 0x100)
#define TIME (DATA + 0x200)
#define EVENT (DATA + 0x300)
#define SETS (DATA + 0x400)
#define SOUND (DATA + 0x1000)

static uint64_t now_us(rt_cpu *c) {
  sys(c, 113, 1, TIME + 64);
  int64_t *time = at(c, TIME + 64);
  return (uint64_t)(time[0] - 1000) * 1000000 + (uint64_t)time[1] / 1000;
}

static void set_time(rt_cpu *c, int64_t ms) {
  int64_t time[2] = {ms / 1000, ms % 1000 * 1000000};
  memcpy(at(c, TIME), time, sizeof time);
}

static void set_fd(rt_cpu *c, int i, int64_t fd, int16_t events) {
  *(int32_t *)at(c, FDS + 8 * (uint64_t)i) = (int32_t)fd;
  *(int16_t *)at(c, FDS + 8 * (uint64_t)i + 4) = events;
}

static int16_t got(rt_cpu *c, int i) { return *(int16_t *)at(c, FDS + 8 * (uint64_t)i + 6); }

GUEST(run) {
  int64_t input = sys(c, 56, -100, text_at(c, PATH, "/dev/input/event0"), 0);
  int64_t dsp = sys(c, 56, -100, text_at(c, PATH, "/dev/dsp"), 1);
  EXPECT(c, sys(c, 59, FDS, 0) == 0);
  int64_t reader = *(int32_t *)at(c, FDS), writer = *(int32_t *)at(c, FDS + 4);

  /* ppoll ends at its timeout, at the tick of an event, or at once */
  set_fd(c, 0, input, 1), set_fd(c, 1, reader, 1), set_time(c, 40);
  EXPECT(c, sys(c, 73, FDS, 2, TIME, 0) == 0 && now_us(c) == 40000);
  EXPECT(c, sys(c, 73, FDS, 2, 0, 0) == 1 && got(c, 0) == 1 && got(c, 1) == 0);
  say(c, "event at %d us\n", (int)now_us(c)); /* tick 6 */
  EXPECT(c, sys(c, 63, input, EVENT, 240) == 48);
  EXPECT(c, sys(c, 64, writer, PATH, 3) == 3);
  EXPECT(c, sys(c, 73, FDS, 2, 0, 0) == 1 && got(c, 1) == 1);
  set_fd(c, 0, -1, 1), set_fd(c, 1, 77, 1);
  EXPECT(c, sys(c, 73, FDS, 2, 0, 0) == 1 && got(c, 0) == 0 && got(c, 1) == 0x20); /* POLLNVAL */

  /* a blocking read waits for the next tick with an event, and its times say when that was */
  EXPECT(c, sys(c, 63, input, EVENT, 24) == 24);
  int64_t *stamp = at(c, EVENT);
  say(c, "read at %d us, stamped %lld.%06lld\n", (int)now_us(c), (long long)stamp[0], (long long)stamp[1]);

  /* select */
  uint64_t *sets = at(c, SETS);
  memset(sets, 0, 384);
  sets[0] = 1u << reader, sets[16] = 1u << writer;
  EXPECT(c, sys(c, 72, 10, SETS, SETS + 128, 0, 0, 0) == 2);
  EXPECT(c, sets[0] == 1u << reader && sets[16] == 1u << writer);

  /* sound: a full buffer makes the write wait until it drains */
  int32_t *value = at(c, TIME);
  *value = 0x00020008; /* two fragments of 256 bytes: 128 sample frames */
  EXPECT(c, sys(c, 29, dsp, 0xc004500a, TIME) == 0);
  uint64_t before = now_us(c);
  EXPECT(c, sys(c, 64, dsp, SOUND, 4 * 4800) == 4 * 4800);
  say(c, "written in %d us\n", (int)(now_us(c) - before)); /* (4800 - 128) / 48000 s */
  EXPECT(c, sys(c, 29, dsp, 0x8010500c, TIME) == 0 && value[1] == 2 && value[2] == 256 && value[3] == 0);
  EXPECT(c, sys(c, 29, dsp, 0x5001, 0) == 0);
  say(c, "played in %d us\n", (int)(now_us(c) - before));

  /* epoll */
  int64_t epoll = sys(c, 20, 0);
  uint64_t *event = at(c, EVENT);
  event[0] = 1, event[1] = 0x1234;
  EXPECT(c, sys(c, 21, epoll, 1, reader, EVENT) == 0 && sys(c, 21, epoll, 1, reader, EVENT) == -17);
  event[1] = 0;
  EXPECT(c, sys(c, 22, epoll, EVENT, 8, -1, 0) == 1 && event[1] == 0x1234 && (uint32_t)event[0] == 1);
  EXPECT(c, sys(c, 63, reader, EVENT, 24) == 3);
  EXPECT(c, sys(c, 22, epoll, EVENT, 8, 25, 0) == 0);

  /* looking at the clock again and again lets it move */
  before = now_us(c);
  while (now_us(c) < before + 1000) continue;
  say(c, "the clock moves\n");
  sys(c, 94, 0);
  return 0;
}

GUEST_MODULE({TEXT + 4, TEXT + 4, run});
