/* The virtual screen as the recording sees it. */
#ifndef RT_VIDEO_H
#define RT_VIDEO_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/* Kinds of records in frames.rec; docs/formats/recording.md. */
#define RT_FRAME_KEY 0
#define RT_FRAME_DELTA 1
#define RT_FRAME_REPEAT 2
#define RT_FRAME_END 3

/* How a row of a frame is told. */
#define RT_ROW_SAME 0  /* as in the frame before */
#define RT_ROW_ABOVE 1 /* as the row above it */
#define RT_ROW_DATA 2  /* pixels follow */
#define RT_ROW_XOR 3   /* pixels to xor with the frame before follow */

/* The screen exists from now on: `width` x `height` pixels, 32 bits each, blue in the lowest byte. Ticks that are over
 * count as black. The call takes the recording's lock. */
void rt_video_open(uint32_t width, uint32_t height);

/* What is scanned out from now on: `height` rows, `stride` bytes apart. */
void rt_video_scanout(const uint8_t *pixels, uint32_t stride);

/* What is scanned out now; no pixels before there is a screen. */
typedef struct rt_picture {
  const uint8_t *pixels;
  uint32_t width, height, stride;
} rt_picture;

rt_picture rt_video_picture(void);

/* Records `count` >= 1 ticks from `tick` on, all of which show what is scanned out now. Lock held. */
void rt_video_ticks(uint64_t tick, uint64_t count);

/* Ends frames.rec. Lock held. */
void rt_video_finish(void);

/* Adds run.json's "frames" and "video". Lock held. */
void rt_video_describe(rt_text *text);

void rt_video_forget(void);

#endif
