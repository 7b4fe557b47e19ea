#include "canvas.h"

#include <math.h>
#include <stdlib.h>

const uint8_t bayer4[4][4] = {
    {0, 8, 2, 10},
    {12, 4, 14, 6},
    {3, 11, 1, 9},
    {15, 7, 13, 5},
};

/* Red and blue travel together in one word, green in another: two multiplications a pixel. */
uint32_t rgb_mix(uint32_t from, uint32_t to, int alpha)
{
    uint32_t a = (uint32_t)alpha, b = 256 - a;
    uint32_t rb = ((from & 0xff00ff) * b + (to & 0xff00ff) * a) >> 8 & 0xff00ff;
    uint32_t g = ((from & 0x00ff00) * b + (to & 0x00ff00) * a) >> 8 & 0x00ff00;
    return rb | g;
}

uint32_t rgb_scale(uint32_t colour, int strength)
{
    uint32_t s = (uint32_t)strength;
    return ((colour & 0xff00ff) * s >> 8 & 0xff00ff) | ((colour & 0x00ff00) * s >> 8 & 0x00ff00);
}

static uint32_t add_saturating(uint32_t a, uint32_t b)
{
    uint32_t r = (a >> 16 & 255) + (b >> 16 & 255);
    uint32_t g = (a >> 8 & 255) + (b >> 8 & 255);
    uint32_t v = (a & 255) + (b & 255);
    if (r > 255) r = 255;
    if (g > 255) g = 255;
    if (v > 255) v = 255;
    return r << 16 | g << 8 | v;
}

static int inside(int x, int y)
{
    return (unsigned)x < VIEW_W && (unsigned)y < VIEW_H;
}

void canvas_fill(struct canvas *c, uint32_t colour)
{
    for (int y = 0; y < VIEW_H; y++)
        for (int x = 0; x < VIEW_W; x++)
            c->px[y][x] = colour;
}

void canvas_set(struct canvas *c, int x, int y, uint32_t colour)
{
    if (inside(x, y)) c->px[y][x] = colour;
}

void canvas_blend(struct canvas *c, int x, int y, uint32_t colour, int alpha)
{
    if (inside(x, y)) c->px[y][x] = rgb_mix(c->px[y][x], colour, alpha);
}

void canvas_add(struct canvas *c, int x, int y, uint32_t colour, int strength)
{
    if (inside(x, y)) c->px[y][x] = add_saturating(c->px[y][x], rgb_scale(colour, strength));
}

void canvas_rect(struct canvas *c, int x, int y, int w, int h, uint32_t colour)
{
    for (int row = y; row < y + h; row++)
        for (int col = x; col < x + w; col++)
            canvas_set(c, col, row, colour);
}

void canvas_line(struct canvas *c, int x0, int y0, int x1, int y1, uint32_t colour)
{
    int dx = abs(x1 - x0), dy = -abs(y1 - y0);
    int sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1;
    int error = dx + dy;
    for (;;) {
        canvas_set(c, x0, y0, colour);
        if (x0 == x1 && y0 == y1) return;
        int twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x0 += sx;
        }
        if (twice <= dx) {
            error += dx;
            y0 += sy;
        }
    }
}

void canvas_ellipse(struct canvas *c, double cx, double cy, double rx, double ry, uint32_t colour)
{
    int top = (int)floor(cy - ry), bottom = (int)floor(cy + ry);
    for (int y = top; y <= bottom; y++) {
        double v = (y + 0.5 - cy) / ry;
        if (v * v >= 1.0) continue;
        double half = rx * sqrt(1.0 - v * v);
        int x1 = (int)floor(cx + half + 0.5);
        for (int x = (int)floor(cx - half + 0.5); x < x1; x++)
            canvas_set(c, x, y, colour);
    }
}

void canvas_ring(struct canvas *c, double cx, double cy, double radius, double width, uint32_t colour, int alpha)
{
    int reach = (int)floor(radius + width) + 1;
    double inner = radius - width < 0 ? 0 : (radius - width) * (radius - width);
    double outer = (radius + width) * (radius + width);
    for (int y = (int)cy - reach; y <= (int)cy + reach; y++)
        for (int x = (int)cx - reach; x <= (int)cx + reach; x++) {
            double dx = x + 0.5 - cx, dy = y + 0.5 - cy, d = dx * dx + dy * dy;
            if (d >= inner && d < outer) canvas_blend(c, x, y, colour, alpha);
        }
}

/* The falloff is cut into 16 steps, dithered: light in the same grain as everything else. */
void canvas_glow(struct canvas *c, double cx, double cy, double radius, uint32_t colour, int strength)
{
    int x0 = (int)floor(cx - radius), x1 = (int)floor(cx + radius);
    int y0 = (int)floor(cy - radius), y1 = (int)floor(cy + radius);
    double inverse = 1.0 / (radius * radius);
    for (int y = y0 < 0 ? 0 : y0; y <= y1 && y < VIEW_H; y++)
        for (int x = x0 < 0 ? 0 : x0; x <= x1 && x < VIEW_W; x++) {
            double dx = x + 0.5 - cx, dy = y + 0.5 - cy;
            double near = 1.0 - (dx * dx + dy * dy) * inverse;
            if (near <= 0.0) continue;
            int level = ((int)(near * near * strength) + bayer4[y & 3][x & 3]) & ~15;
            if (level > 0) c->px[y][x] = add_saturating(c->px[y][x], rgb_scale(colour, level > 256 ? 256 : level));
        }
}

static int edge(int ax, int ay, int bx, int by, int px, int py)
{
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax);
}

/* Corners are rounded to quarter pixels, so that a slowly turning shape does not jump. */
void canvas_triangle(struct canvas *c, const double (*corner)[2], uint32_t colour)
{
    int qx[3], qy[3];
    for (int i = 0; i < 3; i++) {
        qx[i] = (int)floor(corner[i][0] * 4.0 + 0.5);
        qy[i] = (int)floor(corner[i][1] * 4.0 + 0.5);
    }
    if (edge(qx[0], qy[0], qx[1], qy[1], qx[2], qy[2]) < 0) {
        int tx = qx[1], ty = qy[1];
        qx[1] = qx[2], qy[1] = qy[2];
        qx[2] = tx, qy[2] = ty;
    }
    int x0 = qx[0], x1 = qx[0], y0 = qy[0], y1 = qy[0];
    for (int i = 1; i < 3; i++) {
        if (qx[i] < x0) x0 = qx[i];
        if (qx[i] > x1) x1 = qx[i];
        if (qy[i] < y0) y0 = qy[i];
        if (qy[i] > y1) y1 = qy[i];
    }
    for (int y = y0 >> 2; y <= y1 >> 2; y++)
        for (int x = x0 >> 2; x <= x1 >> 2; x++) {
            int px = x * 4 + 2, py = y * 4 + 2;
            if (edge(qx[0], qy[0], qx[1], qy[1], px, py) >= 0 && edge(qx[1], qy[1], qx[2], qy[2], px, py) >= 0 &&
                edge(qx[2], qy[2], qx[0], qy[0], px, py) >= 0)
                canvas_set(c, x, y, colour);
        }
}

void canvas_sprite(struct canvas *c, const struct sprite *s, int x, int y, const uint32_t *palette)
{
    const char *cell = s->rows;
    for (int row = 0; row < s->h; row++)
        for (int col = 0; col < s->w; col++, cell++)
            if (*cell != '.') canvas_set(c, x + col, y + row, palette[*cell - 'a']);
}

void canvas_dissolve(struct canvas *c, int amount, uint32_t colour)
{
    for (int y = 0; y < VIEW_H; y++)
        for (int x = 0; x < VIEW_W; x++)
            if (bayer4[y & 3][x & 3] < amount) c->px[y][x] = colour;
}
