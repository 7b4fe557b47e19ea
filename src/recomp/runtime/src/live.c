#define _GNU_SOURCE
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "end.h"
#include "input.h"
#include "options.h"
#include "video.h"

#define HEADER_WORDS 8
#define MOST_EVENTS 1024
#define MAGIC_OPEN UINT32_C(0x4e45504f) /* "OPEN" */
#define MAGIC_TICK UINT32_C(0x4b434954) /* "TICK" */

static int fd = -1;
static uint8_t *shown; /* the picture that was sent last, rows packed */
static bool has_shown;
static int16_t *heard;
static size_t heard_size, heard_room; /* samples of all channels */
static uint32_t heard_rate, heard_channels;

bool rt_live_on(void) { return fd >= 0; }

static _Noreturn void gone(void) {
  rt_end(RT_END_LIMIT, RT_CODE_LIMIT, (rt_end_place){0, 0}, "who played went away");
}

static void send_all(const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  while (size > 0) {
    ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) gone();
    at += n;
    size -= (size_t)n;
  }
}

static void receive(void *bytes, size_t size) {
  uint8_t *at = bytes;
  while (size > 0) {
    ssize_t n = recv(fd, at, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) gone();
    at += n;
    size -= (size_t)n;
  }
}

static uint32_t get32(const uint8_t *from) {
  return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* A count, then that many of: type, code (16 bits each), value (32). */
static void take_input(uint64_t tick) {
  uint8_t count_bytes[4], event[8];
  receive(count_bytes, 4);
  uint32_t count = get32(count_bytes);
  if (count > MOST_EVENTS) rt_fail("RECOMP_RT_LIVE: expected at most %u events a tick, found %u", MOST_EVENTS, count);
  for (uint32_t i = 0; i < count; i++) {
    receive(event, sizeof event);
    uint32_t kind = get32(event);
    rt_input_play(tick, (uint16_t)kind, (uint16_t)(kind >> 16), (int32_t)get32(event + 4));
  }
  if (count) rt_input_played(tick);
}

static void send_header(uint32_t magic, uint64_t tick, const rt_picture *picture, bool is_new) {
  uint32_t words[HEADER_WORDS] = {
      magic, (uint32_t)tick, is_new, picture->width, picture->height, heard_rate, heard_channels,
      heard_channels ? (uint32_t)(heard_size / heard_channels) : 0,
  };
  uint8_t bytes[HEADER_WORDS * 4];
  for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
  send_all(bytes, sizeof bytes);
}

/* Copies the picture to `shown`; false where it is already there. */
static bool take_picture(const rt_picture *picture) {
  size_t row = (size_t)picture->width * 4;
  if (!picture->pixels) return false;
  if (!shown) shown = malloc(row * picture->height);
  if (!shown) rt_fail("out of memory for a picture of %ux%u", picture->width, picture->height);
  bool is_new = !has_shown;
  for (uint32_t y = 0; y < picture->height; y++) {
    const uint8_t *from = picture->pixels + (size_t)y * picture->stride;
    if (!is_new && memcmp(shown + y * row, from, row) == 0) continue;
    memcpy(shown + y * row, from, row);
    is_new = true;
  }
  has_shown = true;
  return is_new;
}

void rt_live_tick(uint64_t tick) {
  rt_picture picture = rt_video_picture();
  bool is_new = take_picture(&picture);
  send_header(MAGIC_TICK, tick - 1, &picture, is_new);
  if (is_new) send_all(shown, (size_t)picture.width * picture.height * 4);
  send_all(heard, heard_size * sizeof *heard);
  heard_size = 0;
  take_input(tick);
}

void rt_live_sound(const int16_t *samples, uint32_t frames, uint32_t rate, uint32_t channels) {
  size_t size = (size_t)frames * channels;
  if (fd < 0) return;
  if (heard_size + size > heard_room) {
    heard_room = 2 * (heard_size + size);
    heard = realloc(heard, heard_room * sizeof *heard);
    if (!heard) rt_fail("out of memory for sound");
  }
  memcpy(heard + heard_size, samples, size * sizeof *heard);
  heard_size += size;
  heard_rate = rate;
  heard_channels = channels;
}

void rt_live_init(void) {
  if (!rt_opt.live) return;
  if (rt_opt.realtime) rt_fail("RECOMP_RT_LIVE: expected a deterministic port, found real time");
  fd = fcntl(rt_opt.live_fd, F_DUPFD_CLOEXEC, 900); /* out of the way of the guest's own descriptors */
  if (fd < 0) rt_fail("RECOMP_RT_LIVE: descriptor %d: %s", rt_opt.live_fd, strerror(errno));
  close(rt_opt.live_fd);
  rt_picture none = {0};
  send_header(MAGIC_OPEN, 0, &none, false);
  take_input(0);
}

void rt_live_forget(void) {
  if (fd >= 0) close(fd);
  fd = -1;
}
