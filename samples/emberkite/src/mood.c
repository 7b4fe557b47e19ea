#include "mood.h"

#include <math.h>

#include "canvas.h"

const struct mood moods[MOOD_COUNT] = {
    [MOOD_GOLD] = {
        .sky = {0x2f3d7e, 0x6a57a4, 0xcf6f96, 0xf79c6b, 0xffdc92},
        .disc = 0xfff3c4, .halo = 0xffa050, .disc_x = 226, .disc_y = 92, .disc_r = 21,
        .cloud_lit = 0xffc79a, .cloud_dark = 0xa8669a,
        .far_lit = 0xc9789c, .far_dark = 0x8a5a9a,
        .mid_lit = 0x94507f, .mid_dark = 0x5f3d78,
        .forest = 0x33254f, .front = 0x170f2c, .haze = 0xffb47c, .water = 0x5a3f86,
        .stars = 0, .aurora = 0, .snow = 0,
    },
    [MOOD_DUSK] = {
        .sky = {0x0e1238, 0x2a2360, 0x63307a, 0xb8466e, 0xf58a54},
        .disc = 0xffd08a, .halo = 0xff5a40, .disc_x = 212, .disc_y = 126, .disc_r = 22,
        .cloud_lit = 0xe8708a, .cloud_dark = 0x4a2c6e,
        .far_lit = 0x7a3a78, .far_dark = 0x4a2a68,
        .mid_lit = 0x52285e, .mid_dark = 0x331f52,
        .forest = 0x1d1438, .front = 0x0c0820, .haze = 0xe85a60, .water = 0x2a1f58,
        .stars = 0.45, .aurora = 0, .snow = 0,
    },
    [MOOD_NIGHT] = {
        .sky = {0x050820, 0x0a1438, 0x12265a, 0x1e4078, 0x3a6c98},
        .disc = 0xf4f4e0, .halo = 0x5a7ac0, .disc_x = 84, .disc_y = 38, .disc_r = 13,
        .cloud_lit = 0x4a6aa8, .cloud_dark = 0x1c2c5c,
        .far_lit = 0x9ab4d8, .far_dark = 0x2c4a80,
        .mid_lit = 0x4a6aa4, .mid_dark = 0x1a2c5c,
        .forest = 0x0e1a3c, .front = 0x060c22, .haze = 0x5a8ab8, .water = 0x10224e,
        .stars = 1, .aurora = 0.35, .snow = 0.6,
    },
    [MOOD_AURORA] = {
        .sky = {0x040a20, 0x07193c, 0x0c3454, 0x145a6c, 0x3aa08c},
        .disc = 0xf4fff0, .halo = 0x4aa090, .disc_x = 62, .disc_y = 30, .disc_r = 13,
        .cloud_lit = 0x3a8a92, .cloud_dark = 0x12324e,
        .far_lit = 0xa8e0d4, .far_dark = 0x24586c,
        .mid_lit = 0x3c8088, .mid_dark = 0x123a50,
        .forest = 0x0a2034, .front = 0x05101e, .haze = 0x58c0a0, .water = 0x0c3048,
        .stars = 1, .aurora = 1, .snow = 1,
    },
    [MOOD_DAWN] = {
        .sky = {0x4a86c8, 0x86b4dc, 0xd8c4d8, 0xffd2b4, 0xfff0c4},
        .disc = 0xffffff, .halo = 0xffd890, .disc_x = 160, .disc_y = 112, .disc_r = 24,
        .cloud_lit = 0xfff4e4, .cloud_dark = 0xd09cb4,
        .far_lit = 0xd8c0dc, .far_dark = 0x9c9ccc,
        .mid_lit = 0x9a90b8, .mid_dark = 0x6a74a8,
        .forest = 0x3c4a78, .front = 0x1c2448, .haze = 0xffe4bc, .water = 0x6a90c4,
        .stars = 0, .aurora = 0, .snow = 0,
    },
    [MOOD_ASH] = {
        .sky = {0x14101c, 0x241a30, 0x3a2840, 0x5a384a, 0x8a5450},
        .disc = 0xc87860, .halo = 0x703040, .disc_x = 160, .disc_y = 116, .disc_r = 20,
        .cloud_lit = 0x6a4854, .cloud_dark = 0x2c2034,
        .far_lit = 0x4a3448, .far_dark = 0x342640,
        .mid_lit = 0x362638, .mid_dark = 0x241a30,
        .forest = 0x181020, .front = 0x0c0812, .haze = 0x7a4848, .water = 0x1c1626,
        .stars = 0.3, .aurora = 0, .snow = 0.2,
    },
};

static double between(double a, double b, double t)
{
    return a + (b - a) * t;
}

struct mood mood_between(const struct mood *from, const struct mood *to, double amount)
{
    struct mood m;
    int alpha = (int)floor(amount * 256.0 + 0.5);
    for (int i = 0; i < MOOD_SKY_STOPS; i++) m.sky[i] = rgb_mix(from->sky[i], to->sky[i], alpha);
    m.disc = rgb_mix(from->disc, to->disc, alpha);
    m.halo = rgb_mix(from->halo, to->halo, alpha);
    m.disc_x = between(from->disc_x, to->disc_x, amount);
    m.disc_y = between(from->disc_y, to->disc_y, amount);
    m.disc_r = between(from->disc_r, to->disc_r, amount);
    m.cloud_lit = rgb_mix(from->cloud_lit, to->cloud_lit, alpha);
    m.cloud_dark = rgb_mix(from->cloud_dark, to->cloud_dark, alpha);
    m.far_lit = rgb_mix(from->far_lit, to->far_lit, alpha);
    m.far_dark = rgb_mix(from->far_dark, to->far_dark, alpha);
    m.mid_lit = rgb_mix(from->mid_lit, to->mid_lit, alpha);
    m.mid_dark = rgb_mix(from->mid_dark, to->mid_dark, alpha);
    m.forest = rgb_mix(from->forest, to->forest, alpha);
    m.front = rgb_mix(from->front, to->front, alpha);
    m.haze = rgb_mix(from->haze, to->haze, alpha);
    m.water = rgb_mix(from->water, to->water, alpha);
    m.stars = between(from->stars, to->stars, amount);
    m.aurora = between(from->aurora, to->aurora, amount);
    m.snow = between(from->snow, to->snow, amount);
    return m;
}
