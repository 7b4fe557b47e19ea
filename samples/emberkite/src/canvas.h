/* The 320x180 picture everything is drawn on, and the few ways of putting colour on it.
 *
 * Colours are 0xRRGGBB. Every primitive clips. Alpha and strength run from 0 (nothing) to 256 (all). */
#ifndef CANVAS_H
#define CANVAS_H

#include <stdint.h>

enum { VIEW_W = 320, VIEW_H = 180 };

struct canvas {
    uint32_t px[VIEW_H][VIEW_W];
};

/* A picture written as text: '.' is clear, 'a' is palette[0], 'b' palette[1], ... */
struct sprite {
    int w, h;
    const char *rows;
};

extern const uint8_t bayer4[4][4]; /* 0..15, ordered dithering */

uint32_t rgb_mix(uint32_t from, uint32_t to, int alpha);
uint32_t rgb_scale(uint32_t colour, int strength);

void canvas_fill(struct canvas *c, uint32_t colour);
void canvas_set(struct canvas *c, int x, int y, uint32_t colour);
void canvas_blend(struct canvas *c, int x, int y, uint32_t colour, int alpha);
void canvas_add(struct canvas *c, int x, int y, uint32_t colour, int strength);
void canvas_rect(struct canvas *c, int x, int y, int w, int h, uint32_t colour);
void canvas_line(struct canvas *c, int x0, int y0, int x1, int y1, uint32_t colour);
void canvas_ellipse(struct canvas *c, double cx, double cy, double rx, double ry, uint32_t colour);
void canvas_ring(struct canvas *c, double cx, double cy, double radius, double width, uint32_t colour, int alpha);
void canvas_glow(struct canvas *c, double cx, double cy, double radius, uint32_t colour, int strength);
void canvas_triangle(struct canvas *c, const double (*corner)[2], uint32_t colour);
void canvas_sprite(struct canvas *c, const struct sprite *s, int x, int y, const uint32_t *palette);

/* Cover the picture with `colour` through a dither pattern: amount 0 = not at all, 17 = entirely. */
void canvas_dissolve(struct canvas *c, int amount, uint32_t colour);

#endif
