#include "pixels.h"

#include <string.h>

#include "../../memory.h"
#include "../services/nvmap.h"
#include "swizzle.h"

enum { RGBA8888 = 1, RGBX8888 = 2, RGB565 = 4, BGRA8888 = 5, RGBA5551 = 6, RGBA4444 = 7 };
enum { PITCH_LINEAR = 1, BLOCK_LINEAR = 3 };
enum { FLIP_HORIZONTALLY = 1, FLIP_VERTICALLY = 2 };

#define LONGEST_SIDE 4096u
#define HIGHEST_BLOCK_LOG2 5u

/* Of a flattened GraphicBuffer: ten words, then the console's own, with planes behind. */
#define FORMAT_AT 0x10u
#define MAP_ID_AT (0x28u + 0x04u)
#define PLANE_AT (0x28u + 0x34u)
#define PLANE_SIZE 0x40u

static uint32_t bytes_of(uint32_t format) {
  return format == RGB565 || format == RGBA4444 || format == RGBA5551 ? 2 : 4;
}

static uint32_t word(const hz_slot *slot, uint32_t offset) {
  uint32_t value;
  memcpy(&value, slot->buffer + offset, sizeof value);
  return value;
}

bool hz_picture_of(const hz_slot *slot, hz_picture *p) {
  uint64_t addr, room;
  if (slot->buffer_size < PLANE_AT + PLANE_SIZE) return false;
  if (!hz_nvmap_find(word(slot, MAP_ID_AT), &addr, &room)) return false;
  uint32_t plane[PLANE_SIZE / 4];
  memcpy(plane, slot->buffer + PLANE_AT, sizeof plane);
  p->width = plane[0];
  p->height = plane[1];
  p->is_block_linear = plane[4] == BLOCK_LINEAR;
  p->pitch = plane[5];
  p->addr = addr + plane[7];
  p->block_height_log2 = plane[9];
  p->format = word(slot, FORMAT_AT);
  p->presentation = slot->presentation;
  if (!p->width || !p->height || p->width > LONGEST_SIDE || p->height > LONGEST_SIDE) return false;
  if (p->pitch < p->width * bytes_of(p->format) || p->pitch > LONGEST_SIDE * 4) return false;
  if (p->is_block_linear && (p->pitch % HZ_GOB_WIDTH || p->block_height_log2 > HIGHEST_BLOCK_LOG2)) return false;
  const uint64_t size = p->is_block_linear ? hz_swizzle_size(p->pitch, p->height, p->block_height_log2)
                                           : (uint64_t)p->pitch * p->height;
  return rt_memory_allows(p->addr, size, RT_READ);
}

void hz_picture_size(const hz_picture *p, uint32_t *width, uint32_t *height) {
  const hz_presentation *s = &p->presentation;
  const bool is_cropped = s->left >= 0 && s->top >= 0 && s->right > s->left && s->bottom > s->top &&
                          (uint32_t)s->right <= p->width && (uint32_t)s->bottom <= p->height;
  *width = is_cropped ? (uint32_t)(s->right - s->left) : p->width;
  *height = is_cropped ? (uint32_t)(s->bottom - s->top) : p->height;
}

static uint32_t rgb(uint32_t r, uint32_t g, uint32_t b) { return r << 16 | g << 8 | b; }

static uint32_t pixel(const uint8_t *at, uint32_t format) {
  uint32_t p = 0;
  memcpy(&p, at, bytes_of(format));
  switch (format) {
    case RGB565: return rgb((p >> 11) * 255 / 31, (p >> 5 & 63) * 255 / 63, (p & 31) * 255 / 31);
    case RGBA4444: return rgb((p & 15) * 17, (p >> 4 & 15) * 17, (p >> 8 & 15) * 17);
    case RGBA5551: return rgb((p & 31) * 255 / 31, (p >> 5 & 31) * 255 / 31, (p >> 10 & 31) * 255 / 31);
    case BGRA8888: return p & 0xffffff;
    default: return rgb(p & 0xff, p >> 8 & 0xff, p >> 16 & 0xff);
  }
}

static const uint8_t *row_of(const hz_picture *p, uint32_t y, uint8_t *room) {
  const uint8_t *image = rt_memory + p->addr;
  if (!p->is_block_linear) return image + (uint64_t)y * p->pitch;
  hz_deswizzle_row(room, image, y, p->width * bytes_of(p->format), p->pitch, p->block_height_log2);
  return room;
}

/* A flip exchanges the sides of the whole buffer before the crop is cut out. */
void hz_picture_draw(const hz_picture *p, uint32_t *pixels, uint32_t width, uint32_t height) {
  static uint8_t room[LONGEST_SIDE * 4];
  uint32_t seen_width, seen_height;
  hz_picture_size(p, &seen_width, &seen_height);
  const bool is_cropped = seen_width != p->width || seen_height != p->height;
  const uint32_t left = is_cropped ? (uint32_t)p->presentation.left : 0, top = is_cropped ? (uint32_t)p->presentation.top : 0;
  const bool flip_x = p->presentation.transform & FLIP_HORIZONTALLY, flip_y = p->presentation.transform & FLIP_VERTICALLY;
  const uint32_t step = bytes_of(p->format);
  for (uint32_t y = 0; y < height; y++) {
    const uint32_t seen_y = top + (uint32_t)((uint64_t)y * seen_height / height);
    const uint8_t *row = row_of(p, flip_y ? p->height - 1 - seen_y : seen_y, room);
    for (uint32_t x = 0; x < width; x++) {
      const uint32_t seen_x = left + (width == seen_width ? x : (uint32_t)((uint64_t)x * seen_width / width));
      pixels[(uint64_t)y * width + x] = pixel(row + (flip_x ? p->width - 1 - seen_x : seen_x) * step, p->format);
    }
  }
}
