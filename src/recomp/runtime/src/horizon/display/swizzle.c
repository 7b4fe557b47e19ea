#include "swizzle.h"

#include <string.h>

#define SECTOR 16u /* bytes that stay together */

uint64_t hz_swizzle_offset(uint32_t x, uint32_t y, uint32_t pitch, uint32_t block_height_log2) {
  const uint32_t rows = HZ_GOB_HEIGHT << block_height_log2;
  const uint64_t block = (uint64_t)(y / rows) * (pitch / HZ_GOB_WIDTH) + x / HZ_GOB_WIDTH;
  const uint64_t gob = (block << block_height_log2) + y % rows / HZ_GOB_HEIGHT;
  return gob * HZ_GOB_SIZE + x % 64 / 32 * 256 + y % 8 / 2 * 64 + x % 32 / 16 * 32 + y % 2 * 16 + x % 16;
}

uint64_t hz_swizzle_size(uint32_t pitch, uint32_t height, uint32_t block_height_log2) {
  const uint64_t rows = HZ_GOB_HEIGHT << block_height_log2;
  return (height + rows - 1) / rows * rows * pitch;
}

void hz_deswizzle_row(uint8_t *to, const uint8_t *image, uint32_t y, uint32_t size, uint32_t pitch, uint32_t block_height_log2) {
  for (uint32_t x = 0; x < size; x += SECTOR)
    memcpy(to + x, image + hz_swizzle_offset(x, y, pitch, block_height_log2), size - x < SECTOR ? size - x : SECTOR);
}

void hz_swizzle_row(uint8_t *image, const uint8_t *from, uint32_t y, uint32_t size, uint32_t pitch, uint32_t block_height_log2) {
  for (uint32_t x = 0; x < size; x += SECTOR)
    memcpy(image + hz_swizzle_offset(x, y, pitch, block_height_log2), from + x, size - x < SECTOR ? size - x : SECTOR);
}
