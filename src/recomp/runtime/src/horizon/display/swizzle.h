/* Block-linear images (kind 0xFE, 16Bx2): the order in which the console's graphics memory holds pixels. */
#ifndef HZ_SWIZZLE_H
#define HZ_SWIZZLE_H

#include <stdint.h>

/* A GOB is 64 bytes x 8 rows; a block is one GOB wide and 2^block_height_log2 of them tall. */
#define HZ_GOB_WIDTH 64u
#define HZ_GOB_HEIGHT 8u
#define HZ_GOB_SIZE 512u

/* Where a byte lies: `x` bytes from the left in row `y` of an image whose rows are `pitch` bytes, a multiple of 64. */
uint64_t hz_swizzle_offset(uint32_t x, uint32_t y, uint32_t pitch, uint32_t block_height_log2);

/* Bytes that an image of that height takes: whole blocks. */
uint64_t hz_swizzle_size(uint32_t pitch, uint32_t height, uint32_t block_height_log2);

/* One row, or `size` bytes of it from its start, out of an image and into one. */
void hz_deswizzle_row(uint8_t *to, const uint8_t *image, uint32_t y, uint32_t size, uint32_t pitch, uint32_t block_height_log2);
void hz_swizzle_row(uint8_t *image, const uint8_t *from, uint32_t y, uint32_t size, uint32_t pitch, uint32_t block_height_log2);

#endif
