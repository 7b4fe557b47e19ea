/* From a program's buffer to the recording's pixels. */
#ifndef HZ_PIXELS_H
#define HZ_PIXELS_H

#include <stdbool.h>
#include <stdint.h>

#include "queue.h"

/* What is known of a picture in guest memory. */
typedef struct hz_picture {
  uint64_t addr; /* of its first byte */
  uint32_t width, height, pitch, format;
  bool is_block_linear;
  uint32_t block_height_log2;
  hz_presentation presentation;
} hz_picture;

/* The picture that a slot describes; false where it does not make sense or its memory is not there. */
bool hz_picture_of(const hz_slot *slot, hz_picture *picture);

/* What of it is seen: its crop, or all of it. */
void hz_picture_size(const hz_picture *picture, uint32_t *width, uint32_t *height);

/* Fills `width` x `height` XRGB words (blue in the lowest byte). Where the picture has another size it is scaled to
 * the nearest pixel. */
void hz_picture_draw(const hz_picture *picture, uint32_t *pixels, uint32_t width, uint32_t height);

#endif
