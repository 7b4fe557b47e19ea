#include "hid_memory.h"

#include <string.h>

#include "../../clock.h"
#include "../../memory.h"
#include "pad.h"

#define SIZE 0x40000u
#define ENTRIES 17u
#define READABLE 16u /* one is always being written */
#define RING_HEADER 0x20u

#define TOUCH_RING 0x400u
#define TOUCH_ENTRY 0x298u
#define PADS 0x9a00u
#define PAD_SIZE 0x5000u
#define PLAYER_1 0u
#define HANDHELD 8u
#define RING_FULL_KEY 0x0028u
#define RING_SIZE 0x350u
#define PAD_ENTRY 0x30u

enum { FULL_KEY, HANDHELD_RING, JOY_DUAL, JOY_LEFT, JOY_RIGHT, PALMA, SYSTEM_EXT };

/* Attributes of a sample: connected, wired; then the same of the left and the right half. */
#define CONNECTED 1u
#define WIRED 2u
#define LEFT_CONNECTED 4u
#define LEFT_WIRED 8u
#define RIGHT_CONNECTED 0x10u
#define RIGHT_WIRED 0x20u

/* How a pad of each style appears. Every one shows in the system's ring too, which older programs read. */
static const struct {
  uint32_t style, place, ring, attributes, device;
} kinds[] = {
    {HZ_STYLE_FULL_KEY, PLAYER_1, FULL_KEY, CONNECTED | WIRED, 1},
    {HZ_STYLE_JOY_DUAL, PLAYER_1, JOY_DUAL, CONNECTED | LEFT_CONNECTED | RIGHT_CONNECTED, 0x30},
    {HZ_STYLE_HANDHELD, HANDHELD, HANDHELD_RING,
     CONNECTED | WIRED | LEFT_CONNECTED | LEFT_WIRED | RIGHT_CONNECTED | RIGHT_WIRED, 0xc},
    {HZ_STYLE_JOY_LEFT, PLAYER_1, JOY_LEFT, CONNECTED | LEFT_CONNECTED, 0x10},
    {HZ_STYLE_JOY_RIGHT, PLAYER_1, JOY_RIGHT, CONNECTED | RIGHT_CONNECTED, 0x20},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static hz_shared *shared;
static uint32_t supported = HZ_STYLE_FULL_KEY;
static uint64_t samples;
static unsigned kind; /* of the pad that is there */

void hz_hid_init(void) { shared = hz_shared_new(SIZE, RT_READ); }

hz_shared *hz_hid_memory(void) { return shared; }

uint32_t hz_hid_supported(void) { return supported; }

static void put32(uint32_t offset, uint32_t value) { memcpy(shared->bytes + offset, &value, sizeof value); }

static void put64(uint32_t offset, uint64_t value) { memcpy(shared->bytes + offset, &value, sizeof value); }

static uint32_t pad_at(uint32_t place) { return PADS + place * PAD_SIZE; }

void hz_hid_support(uint32_t styles) {
  unsigned wanted = 0;
  supported = styles;
  while (wanted < KINDS && !(kinds[wanted].style & styles)) wanted++;
  if (wanted == KINDS || wanted == kind) return;
  memset(shared->bytes + pad_at(kinds[kind].place), 0, PAD_SIZE);
  kind = wanted;
  hz_hid_publish(rt_clock_tick());
}

/* The header tells of an entry only when it is whole. */
static void finish_ring(uint32_t ring) {
  put64(ring, rt_clock_now() / RT_UNITS_PER_NS * 12 / 625);
  put64(ring + 8, ENTRIES);
  put64(ring + 16, samples % ENTRIES);
  put64(ring + 24, samples < READABLE ? samples : READABLE);
}

static void put_pad(uint32_t ring, const hz_pad *pad, uint32_t attributes) {
  const uint32_t at = ring + RING_HEADER + (uint32_t)(samples % ENTRIES) * PAD_ENTRY;
  put64(at, samples);
  put64(at + 0x08, samples);
  put64(at + 0x10, pad->buttons);
  put32(at + 0x18, (uint32_t)pad->left_x);
  put32(at + 0x1c, (uint32_t)pad->left_y);
  put32(at + 0x20, (uint32_t)pad->right_x);
  put32(at + 0x24, (uint32_t)pad->right_y);
  put32(at + 0x28, attributes);
  finish_ring(ring);
}

static void put_touch(const hz_pad *pad) {
  const uint32_t at = TOUCH_RING + RING_HEADER + (uint32_t)(samples % ENTRIES) * TOUCH_ENTRY;
  memset(shared->bytes + at, 0, TOUCH_ENTRY);
  put64(at, samples);
  put64(at + 0x08, samples);
  put32(at + 0x10, pad->touched);
  if (pad->touched) {
    put32(at + 0x18 + 0x10, pad->touch_x);
    put32(at + 0x18 + 0x14, pad->touch_y);
    put32(at + 0x18 + 0x18, 15); /* the finger is that wide and high */
    put32(at + 0x18 + 0x1c, 15);
  }
  finish_ring(TOUCH_RING);
}

void hz_hid_publish(uint64_t tick) {
  const hz_pad *pad = hz_pad_at(tick);
  const uint32_t at = pad_at(kinds[kind].place);
  samples++;
  put32(at, kinds[kind].style | HZ_STYLE_SYSTEM_EXT);
  put32(at + 0x4188, kinds[kind].device);
  put32(at + 0x419c, 4); /* batteries are full */
  put_pad(at + RING_FULL_KEY + kinds[kind].ring * RING_SIZE, pad, kinds[kind].attributes);
  put_pad(at + RING_FULL_KEY + SYSTEM_EXT * RING_SIZE, pad, kinds[kind].attributes);
  put_touch(pad);
}
