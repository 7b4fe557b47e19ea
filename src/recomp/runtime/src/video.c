/* Frames, packed losslessly and fast: most rows of most frames are those of the frame before or of the row above, and
 * what is left goes through an LZ4 block. 1280x720 frames take 0.3 to 3 ms. */
#include "video.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crc32.h"
#include "end.h"
#include "lz4.h"
#include "options.h"
#include "record.h"

#define FORMAT_VERSION 1
#define KEY_EVERY 256 /* changed frames between two that need no predecessor */
#define FRAME_MAGIC UINT32_C(0x4d415246) /* "FRAM" */

static uint32_t width, height;
static const uint8_t *scanout;
static uint32_t scanout_stride;
static uint64_t frame_count;
static unsigned until_key;

static int file = -1;
static uint8_t *previous; /* rows as scanned out, without padding */
static uint8_t *plain;    /* row kinds, then the rows' data as RGBA */
static uint8_t *packed;   /* record header, size of plain, LZ4 block */

static void put32(uint8_t *to, uint32_t value) {
  for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> 8 * i);
}

#define RECORD_HEADER 24

/* `record` has its payload in place behind the header. */
static void write_record(uint8_t *record, unsigned kind, uint64_t tick, uint64_t count, size_t payload) {
  put32(record, FRAME_MAGIC);
  put32(record + 4, kind);
  put32(record + 8, (uint32_t)tick);
  put32(record + 12, (uint32_t)count);
  put32(record + 16, (uint32_t)payload);
  uint32_t sum = rt_crc32(0, record, 20);
  put32(record + 20, rt_crc32(sum, record + RECORD_HEADER, payload));
  rt_record_write(file, record, RECORD_HEADER + payload);
}

static void write_repeat(uint64_t tick, uint64_t count) {
  uint8_t record[RECORD_HEADER];
  while (count > 0 && file >= 0) {
    uint64_t part = count < UINT32_MAX ? count : UINT32_MAX;
    write_record(record, RT_FRAME_REPEAT, tick, part, 0);
    tick += part;
    count -= part;
  }
}

static void write_file_header(void) {
  uint8_t header[32] = "RCFRAMES";
  put32(header + 8, FORMAT_VERSION);
  put32(header + 12, width);
  put32(header + 16, height);
  put32(header + 20, 60);
  put32(header + 24, 1);
  put32(header + 28, rt_crc32(0, header, 28));
  rt_record_write(file, header, sizeof header);
}

static void allocate(void) {
  size_t frame = (size_t)width * height * 4, most = height + frame;
  previous = calloc(1, frame);
  plain = malloc(most);
  packed = malloc(RECORD_HEADER + 4 + rt_lz4_bound(most));
  if (!previous || !plain || !packed) rt_fail("out of memory for a %ux%u recording", width, height);
}

void rt_video_open(uint32_t w, uint32_t h) {
  rt_record_lock();
  if (!width) {
    width = w;
    height = h;
    frame_count = rt_clock_tick();
    file = rt_record_open("frames.rec");
    if (file >= 0) {
      allocate();
      write_file_header();
      write_repeat(0, frame_count); /* repeats of the black that precedes the first frame */
    }
  }
  rt_record_unlock();
}

void rt_video_scanout(const uint8_t *pixels, uint32_t stride) {
  rt_record_lock();
  scanout = pixels;
  scanout_stride = stride;
  rt_record_unlock();
}

rt_picture rt_video_picture(void) { return (rt_picture){scanout, width, height, scanout_stride}; }

/* XRGB words to the bytes R, G, B, 255. */
static void put_rgba(uint8_t *to, const uint8_t *from) {
  for (uint32_t i = 0; i < width; i++) {
    uint32_t p;
    memcpy(&p, from + 4 * i, 4);
    p = (p & 0xff) << 16 | (p & 0xff00) | (p >> 16 & 0xff) | UINT32_C(0xff000000);
    memcpy(to + 4 * i, &p, 4);
  }
}

static void put_xor(uint8_t *to, const uint8_t *from, const uint8_t *before) {
  for (uint32_t i = 0; i < width; i++) {
    uint32_t p, q;
    memcpy(&p, from + 4 * i, 4);
    memcpy(&q, before + 4 * i, 4);
    p ^= q;
    p = (p & 0xff) << 16 | (p & 0xff00) | (p >> 16 & 0xff);
    memcpy(to + 4 * i, &p, 4);
  }
}

static uint32_t equal_pixels(const uint8_t *a, const uint8_t *b) {
  uint32_t equal = 0;
  for (uint32_t i = 0; i < width; i++) {
    uint32_t p, q;
    memcpy(&p, a + 4 * i, 4);
    memcpy(&q, b + 4 * i, 4);
    equal += p == q;
  }
  return equal;
}

static unsigned row_kind(const uint8_t *row, uint32_t y, bool key) {
  const uint8_t *before = previous + (size_t)y * width * 4;
  size_t size = (size_t)width * 4;
  if (!key && memcmp(row, before, size) == 0) return RT_ROW_SAME;
  if (y > 0 && memcmp(row, row - scanout_stride, size) == 0) return RT_ROW_ABOVE;
  return !key && equal_pixels(row, before) > width / 2 ? RT_ROW_XOR : RT_ROW_DATA;
}

/* Fills `plain`; its size, or 0 where the frame is the one before. */
static size_t describe_frame(bool key) {
  size_t row_size = (size_t)width * 4, size = height;
  bool changed = key;
  for (uint32_t y = 0; y < height; y++) {
    const uint8_t *row = scanout + (size_t)y * scanout_stride;
    unsigned kind = row_kind(row, y, key);
    plain[y] = (uint8_t)kind;
    changed |= kind != RT_ROW_SAME;
    if (kind == RT_ROW_DATA) put_rgba(plain + size, row);
    if (kind == RT_ROW_XOR) put_xor(plain + size, row, previous + y * row_size);
    if (kind >= RT_ROW_DATA) size += row_size;
  }
  return changed ? size : 0;
}

static void remember_frame(void) {
  size_t row_size = (size_t)width * 4;
  for (uint32_t y = 0; y < height; y++)
    if (plain[y] != RT_ROW_SAME) memcpy(previous + y * row_size, scanout + (size_t)y * scanout_stride, row_size);
}

static void write_frame(uint64_t tick) {
  size_t size = describe_frame(false);
  if (!size) {
    write_repeat(tick, 1);
    return;
  }
  bool key = until_key == 0;
  if (key) size = describe_frame(true);
  remember_frame();
  until_key = key ? KEY_EVERY - 1 : until_key - 1;
  put32(packed + RECORD_HEADER, (uint32_t)size);
  size_t block = rt_lz4_pack(packed + RECORD_HEADER + 4, plain, size);
  write_record(packed, key ? RT_FRAME_KEY : RT_FRAME_DELTA, tick, 1, 4 + block);
}

void rt_video_ticks(uint64_t tick, uint64_t count) {
  if (!width) return;
  frame_count += count;
  if (file < 0) return;
  if (scanout) write_frame(tick);
  else write_repeat(tick, 1);
  write_repeat(tick + 1, count - 1);
}

void rt_video_finish(void) {
  uint8_t record[RECORD_HEADER];
  if (file >= 0) write_record(record, RT_FRAME_END, frame_count, 0, 0);
}

void rt_video_describe(rt_text *text) {
  rt_text_add(text, "\"frames\":%llu,\"video\":", (unsigned long long)frame_count);
  if (width) rt_text_add(text, "{\"width\":%u,\"height\":%u,\"rate\":60}", width, height);
  else rt_text_add(text, "null");
}

void rt_video_forget(void) { file = -1; }
