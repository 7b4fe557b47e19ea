#include "backdrop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

enum { RIDGE = 512, STARS = 90, CLOUDS = 7, CLOUD_W = 72, CLOUD_H = 24 };

struct cloud {
    double x, y, depth;           /* depth 0 = far and slow, 1 = near */
    uint8_t shade[CLOUD_H][CLOUD_W]; /* 0 clear, 1 (dark) .. 4 (lit) */
};

struct backdrop {
    double far[RIDGE], mid[RIDGE]; /* heights above the horizon */
    int forest[RIDGE], front[RIDGE];
    int star_x[STARS], star_y[STARS], star_phase[STARS];
    struct cloud clouds[CLOUDS];
};

/* Midpoint displacement: halve the interval, move its middle, and the same for both halves. Wraps around. */
static void ridge_split(struct rng *rng, double *h, int low, int high, double rough)
{
    if (high - low < 2) return;
    int middle = (low + high) / 2;
    h[middle] = (h[low] + h[high % RIDGE]) / 2 + rng_range(rng, -rough, rough);
    ridge_split(rng, h, low, middle, rough * 0.54);
    ridge_split(rng, h, middle, high, rough * 0.54);
}

static void ridge_make(struct rng *rng, double *h, double base, double rough)
{
    const int parts = 4;
    for (int i = 0; i < parts; i++) h[i * RIDGE / parts] = base + rng_range(rng, -rough, rough) * 0.5;
    for (int i = 0; i < parts; i++) ridge_split(rng, h, i * RIDGE / parts, (i + 1) * RIDGE / parts, rough);
    for (int i = 0; i < RIDGE; i++)
        if (h[i] < 4) h[i] = 4;
}

/* Rows of pines: each a spike whose sides step in and out like branches. */
static void forest_make(struct rng *rng, int *h, int base, int tall, int spacing)
{
    for (int i = 0; i < RIDGE; i++) h[i] = base + (int)floor(2.0 * sin(i * 0.0368155) + 0.5);
    for (int x = 0; x < RIDGE; x += spacing / 2 + (int)rng_below(rng, (uint32_t)spacing)) {
        int height = tall / 2 + (int)rng_below(rng, (uint32_t)tall);
        for (int dx = -6; dx <= 6; dx++) {
            int side = abs(dx);
            int top = base + height - side * 3 + (side & 1 ? 2 : 0);
            int *column = &h[(x + dx + RIDGE) % RIDGE];
            if (top > *column) *column = top;
        }
    }
}

static void cloud_make(struct rng *rng, struct cloud *cloud)
{
    double reach[CLOUD_H][CLOUD_W];
    memset(reach, 0, sizeof reach);
    for (int puff = 0; puff < 14; puff++) {
        double px = rng_range(rng, 12, CLOUD_W - 12), lean = fabs(px - CLOUD_W / 2.0) / (CLOUD_W / 2.0);
        double r = rng_range(rng, 4, 9) * (1.15 - lean), py = CLOUD_H - 6 - r * rng_range(rng, 0.2, 0.9);
        for (int y = 0; y < CLOUD_H - 4; y++)
            for (int x = 0; x < CLOUD_W; x++) {
                double dx = (x - px) / 1.4, dy = y - py, inner = 1 - (dx * dx + dy * dy) / (r * r);
                /* lit from above right: the height on the puff, tilted */
                double light = inner > 0 ? 0.35 + 0.3 * (py - y) / r + 0.18 * (x - px) / r : 0;
                if (inner > 0 && light + 0.1 > reach[y][x]) reach[y][x] = light > 0.05 ? light : 0.05;
            }
    }
    for (int y = 0; y < CLOUD_H; y++)
        for (int x = 0; x < CLOUD_W; x++) {
            double light = reach[y][x];
            cloud->shade[y][x] = light <= 0 ? 0 : (uint8_t)(light > 0.62 ? 4 : 1 + floor(light / 0.22));
        }
}

struct backdrop *backdrop_new(uint64_t seed)
{
    struct backdrop *b = malloc(sizeof *b);
    if (!b) return NULL;
    struct rng rng;
    rng_seed(&rng, seed, 7);
    ridge_make(&rng, b->far, 52, 34);
    ridge_make(&rng, b->mid, 26, 17);
    forest_make(&rng, b->forest, 5, 9, 9);
    forest_make(&rng, b->front, -6, 18, 46);
    for (int i = 0; i < STARS; i++) {
        b->star_x[i] = (int)rng_below(&rng, VIEW_W);
        b->star_y[i] = (int)rng_below(&rng, 100);
        b->star_phase[i] = (int)rng_below(&rng, 256);
    }
    for (int i = 0; i < CLOUDS; i++) {
        struct cloud *cloud = &b->clouds[i];
        cloud->x = i * (VIEW_W + CLOUD_W) / (double)CLOUDS + rng_range(&rng, 0, 30);
        cloud->depth = (i % 3) / 2.0;
        cloud->y = rng_range(&rng, 8, 62) + 12 * (1 - cloud->depth);
        cloud_make(&rng, cloud);
    }
    return b;
}

void backdrop_free(struct backdrop *b)
{
    free(b);
}

/* Colours in steps of 8, chosen between by an ordered dither: a gradient with the grain of a painting. */
static uint32_t quantise(uint32_t colour, int threshold)
{
    uint32_t out = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        uint32_t v = (colour >> shift & 255) + (uint32_t)threshold;
        out |= (v > 255 ? 248 : v & 0xf8) << shift;
    }
    return out;
}

static uint32_t sky_at(const struct mood *m, double height)
{
    double place = height * (MOOD_SKY_STOPS - 1);
    int stop = (int)floor(place);
    if (stop < 0) return m->sky[0];
    if (stop >= MOOD_SKY_STOPS - 1) return m->sky[MOOD_SKY_STOPS - 1];
    return rgb_mix(m->sky[stop], m->sky[stop + 1], (int)((place - stop) * 256));
}

static void draw_sky(struct canvas *c, const struct mood *m)
{
    for (int y = 0; y < HORIZON; y++) {
        uint32_t row = sky_at(m, y / (double)HORIZON), grain[4];
        for (int i = 0; i < 4; i++) grain[i] = quantise(row, bayer4[y & 3][i] / 2);
        for (int x = 0; x < VIEW_W; x++) c->px[y][x] = grain[x & 3];
    }
}

static void draw_stars(struct canvas *c, const struct backdrop *b, const struct mood *m, double time)
{
    int tick = (int)(time * 40);
    for (int i = 0; i < STARS; i++) {
        int twinkle = abs((tick + b->star_phase[i] * 5) % 160 - 80); /* 0..80 */
        int strength = (int)(m->stars * (70 + twinkle * 2) * (110 - b->star_y[i]) / 110);
        canvas_add(c, b->star_x[i], b->star_y[i], 0xdfe8ff, strength);
        if (b->star_phase[i] > 235 && twinkle > 50)
            for (int arm = -1; arm <= 1; arm += 2) {
                canvas_add(c, b->star_x[i] + arm, b->star_y[i], 0x9fb8ff, strength / 2);
                canvas_add(c, b->star_x[i], b->star_y[i] + arm, 0x9fb8ff, strength / 2);
            }
    }
}

/* Curtains of light: each column glows downwards from a waving edge. */
static void draw_aurora(struct canvas *c, const struct mood *m, double scroll, double time)
{
    static const uint32_t ramp[4] = {0x2cf0a0, 0x28c8b0, 0x3a78d0, 0x8a48c8};
    for (int x = 0; x < VIEW_W; x++) {
        double u = (x + scroll * 0.03) * 0.021;
        double edge = 66 + 15 * sin(u * 1.7 + time * 0.5) + 8 * sin(u * 4.3 - time * 0.8);
        double power = m->aurora * (0.55 + 0.45 * sin(u * 7.1 + time * 1.3) * sin(u * 2.3 - time * 0.37));
        int length = (int)(38 + 16 * sin(u * 3.1 + time * 0.6));
        for (int i = 0; i < length; i++) {
            int y = (int)edge - i;
            if (y < 0) break;
            double fade = 1.0 - i / (double)length;
            int level = ((int)(power * fade * 150) + bayer4[y & 3][x & 3]) & ~15;
            if (level > 0) canvas_add(c, x, y, ramp[i * 4 / length], level);
        }
    }
}

static void draw_disc(struct canvas *c, const struct mood *m)
{
    canvas_glow(c, m->disc_x, m->disc_y, m->disc_r * 4.2, m->halo, 120);
    canvas_glow(c, m->disc_x, m->disc_y, m->disc_r * 2.1, m->halo, 150);
    canvas_ellipse(c, m->disc_x, m->disc_y, m->disc_r, m->disc_r, rgb_mix(m->disc, m->halo, 60));
    canvas_ellipse(c, m->disc_x + 0.5, m->disc_y - 1, m->disc_r - 2.2, m->disc_r - 2.2, m->disc);
}

static void draw_cloud(struct canvas *c, const struct cloud *cloud, const struct mood *m, double scroll, double time)
{
    const int span = VIEW_W + CLOUD_W;
    double drift = cloud->x - scroll * (0.03 + 0.07 * cloud->depth) - time * 2.0;
    int left = (int)floor(drift - floor(drift / span) * span) - CLOUD_W, top = (int)cloud->y;
    uint32_t tone[5];
    for (int i = 1; i < 5; i++) tone[i] = rgb_mix(m->cloud_dark, m->cloud_lit, (i - 1) * 85);
    for (int y = 0; y < CLOUD_H; y++)
        for (int x = 0; x < CLOUD_W; x++) {
            int shade = cloud->shade[y][x];
            if (shade) canvas_blend(c, left + x, top + y, tone[shade], 130 + (int)(cloud->depth * 80));
        }
}

/* One range. The lit face of a peak lies where the ridge, followed down to the left, is falling. */
static void draw_range(struct canvas *c, const double *h, double scroll, uint32_t lit, uint32_t dark, uint32_t haze,
                       int snow)
{
    int offset = (int)floor(scroll);
    for (int x = 0; x < VIEW_W; x++) {
        int at = (x + offset) & (RIDGE - 1);
        int height = (int)h[at];
        for (int i = 0; i < height; i++) {
            int y = HORIZON - height + i;
            int from = (at + i * 5 / 8 + (i & 3)) & (RIDGE - 1);
            double slope = h[(from + 5) & (RIDGE - 1)] - h[(from - 3) & (RIDGE - 1)];
            uint32_t colour = slope < 0.0 ? lit : dark;
            if (snow && i < 7 + (at * 7 & 5) && slope < 2.0) colour = rgb_mix(colour, 0xffffff, snow);
            int mist = i * 210 / (height + 12) + bayer4[y & 3][x & 3] - 8;
            if (y >= 0) c->px[y][x] = rgb_mix(colour, haze, mist < 0 ? 0 : (mist & ~15) * 3 / 4);
        }
    }
}

static void draw_forest(struct canvas *c, const int *h, double scroll, uint32_t colour, uint32_t haze)
{
    int offset = (int)floor(scroll);
    for (int x = 0; x < VIEW_W; x++) {
        int height = h[(x + offset) & (RIDGE - 1)];
        for (int i = 1; i <= height; i++) canvas_set(c, x, HORIZON - i, i < 3 ? rgb_mix(colour, haze, 40) : colour);
    }
}

void backdrop_draw(struct canvas *c, const struct backdrop *b, const struct mood *m, double scroll, double time)
{
    draw_sky(c, m);
    if (m->stars > 0) draw_stars(c, b, m, time);
    if (m->aurora > 0) draw_aurora(c, m, scroll, time);
    draw_disc(c, m);
    for (int i = 0; i < CLOUDS; i++) draw_cloud(c, &b->clouds[i], m, scroll, time);
    int snow = (int)(m->snow * 150);
    draw_range(c, b->far, scroll * 0.08, m->far_lit, m->far_dark, m->haze, snow);
    draw_range(c, b->mid, scroll * 0.2 + 170, m->mid_lit, m->mid_dark, m->haze, snow / 2);
    draw_forest(c, b->forest, scroll * 0.42, m->forest, m->haze);
}

static void draw_mirror(struct canvas *c, const struct mood *m, double time)
{
    for (int y = HORIZON; y < VIEW_H; y++) {
        double depth = (y - HORIZON) / (double)(VIEW_H - HORIZON);
        int source = HORIZON - 1 - (int)((y - HORIZON) * (1.6 + depth * 0.9));
        double wave = sin(y * 1.9 - time * 3.1) + 0.6 * sin(y * 0.7 + time * 1.7);
        int shift = (int)floor(wave * (0.6 + depth * 2.6) + 0.5);
        int tint = 70 + (int)(depth * 96);
        if (source < 0) source = 0;
        for (int x = 0; x < VIEW_W; x++) {
            int from = x + shift;
            if (from < 0) from = 0;
            if (from >= VIEW_W) from = VIEW_W - 1;
            c->px[y][x] = rgb_mix(c->px[source][from], m->water, tint);
        }
    }
}

/* The path of the sun or moon on the water: short strokes, denser near the horizon. */
static void draw_glitter(struct canvas *c, const struct mood *m, double scroll, double time)
{
    for (int y = HORIZON + 1; y < VIEW_H; y += 2) {
        double depth = (y - HORIZON) / (double)(VIEW_H - HORIZON);
        for (int i = 0; i < 3; i++) {
            double beat = sin(y * 2.7 + i * 2.1 + time * (2.2 + i * 0.7));
            double at = m->disc_x + (m->disc_r * (0.4 + depth)) * sin(y * 5.3 + i * 2.4 + time * 0.9);
            int length = (int)((2 + 7 * depth) * (0.5 + 0.5 * beat));
            for (int x = 0; x < length; x++) canvas_add(c, (int)at - length / 2 + x, y, m->disc, 90);
        }
    }
    /* pale strokes that pass with the water's own speed, so that the lake is seen to move */
    for (int i = 0; i < 16; i++) {
        int y = HORIZON + 3 + i * 37 % 36;
        double speed = 0.55 + (y - HORIZON) / 48.0;
        int x = VIEW_W - 1 - (int)(scroll * speed + i * 71.0) % (VIEW_W + 40);
        for (int k = 0; k < 4 + (y - HORIZON) / 3; k++) canvas_blend(c, x + k, y, m->sky[4], 70);
    }
}

void backdrop_water(struct canvas *c, const struct backdrop *b, const struct mood *m, double scroll, double time)
{
    draw_mirror(c, m, time);
    draw_glitter(c, m, scroll, time);
    int offset = (int)floor(scroll * 1.45);
    for (int x = 0; x < VIEW_W; x++) {
        int height = b->front[(x + offset) & (RIDGE - 1)] + 3;
        for (int i = 1; i <= height; i++) canvas_set(c, x, VIEW_H - i, m->front);
    }
}
