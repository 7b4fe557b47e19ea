/* Crows, wisps, lanterns, storm puffs, and what may be picked up. */
#include <math.h>

#include "game.h"

static uint32_t lit(const struct actor *a, uint32_t colour)
{
    return a->flash ? rgb_mix(colour, 0xffffff, 190) : colour;
}

static double towards_kite(const struct game *g, struct vec from)
{
    return atan2(g->kite.at.y - from.y, g->kite.at.x - from.x);
}

static void triangle(struct canvas *c, double ax, double ay, double bx, double by, double cx, double cy, uint32_t colour)
{
    const double corner[3][2] = {{ax, ay}, {bx, by}, {cx, cy}};
    canvas_triangle(c, corner, colour);
}

/* ---- crow: flies in waves; param = height of the wave ---------------------------------------------------------- */

void crow_spawn(struct game *g, struct actor *a)
{
    a->angle = rng_range(&g->rng, 0, 2 * PI);
    a->speed.x = -96 - 10.0 * g->level.number;
}

void crow_update(struct game *g, struct actor *a)
{
    a->at.x += a->speed.x * TICK;
    a->at.y = a->home.y + a->param * sin(a->age * 0.055);
    if (g->level.number > 0 && a->age == 90) shot_fire(g, a->at, towards_kite(g, a->at), 92, true, 0xff4a9a);
}

void crow_draw(struct canvas *c, const struct game *g, const struct actor *a)
{
    static const struct sprite body = {17, 8,
                                       "....bb..........."
                                       "...bbbbb........."
                                       "..bcbbbbbbbb....."
                                       "aabbbbbbbbbbbbb.."
                                       "..abbbbbbbbbbbbbb"
                                       "....bbbbbbbbb..bb"
                                       "......bbbbb......"
                                       ".......d.d......."};
    const uint32_t palette[4] = {lit(a, 0xffb040), lit(a, 0x1c1438), 0xff5050, lit(a, 0x80502c)};
    double flap = sin(a->age * 0.30 + a->angle), x = floor(a->at.x), y = floor(a->at.y);
    (void)g;
    triangle(c, x - 1, y - 1, x + 7, y, x + 6, y - 13 * flap - 2, lit(a, 0x2c2150));
    canvas_sprite(c, &body, (int)x - 8, (int)y - 4, palette);
    triangle(c, x - 3, y, x + 5, y + 1, x + 8, y - 11 * flap, lit(a, 0x423070));
    triangle(c, x - 3, y, x + 3, y + 1, x + 5, y - 8 * flap, lit(a, 0x5a4390));
}

/* ---- wisp: a cold flame that steers after the kite ------------------------------------------------------------- */

void wisp_update(struct game *g, struct actor *a)
{
    double aim = towards_kite(g, a->at), turn = a->age < 200 ? 120 : 20;
    double keep = exp(-1.1 * TICK);
    a->speed.x = a->speed.x * keep + (cos(aim) * turn - 26) * TICK;
    a->speed.y = a->speed.y * keep + sin(aim) * turn * TICK;
    a->at.x += a->speed.x * TICK;
    a->at.y += a->speed.y * TICK + 0.5 * sin(a->age * 0.12);
    if (a->at.y > HORIZON - 8) a->at.y = HORIZON - 8;
    if (a->age % 3 == 0) {
        struct vec drift = {rng_range(&g->dust, -8, 30), rng_range(&g->dust, -30, -6)};
        particle_emit(g, a->at, drift, LOOK_ICE, 26);
    }
}

void wisp_draw(struct canvas *c, const struct game *g, const struct actor *a)
{
    double x = a->at.x, y = a->at.y, lick = sin(a->age * 0.35) * 2.0;
    canvas_glow(c, x, y, 19, 0x2c78ff, 130);
    triangle(c, x - 5, y - 1, x + 5, y - 1, x + lick + 1, y - 11, lit(a, 0x2f8cf0));
    canvas_ellipse(c, x, y, 6, 6, lit(a, 0x2f8cf0));
    triangle(c, x - 3, y, x + 3, y, x + lick * 0.6, y - 7, lit(a, 0x9ae8ff));
    canvas_ellipse(c, x, y + 1, 3.8, 3.8, lit(a, 0xd4fbff));
    double look = g->kite.at.x < x ? -1 : 1;
    canvas_rect(c, (int)floor(x - 2 + look), (int)floor(y), 1, 2, 0x10204a);
    canvas_rect(c, (int)floor(x + 1 + look), (int)floor(y), 1, 2, 0x10204a);
}

/* ---- lantern: a pendulum on a long cord; param = length of the cord -------------------------------------------- */

void lantern_spawn(struct game *g, struct actor *a)
{
    a->angle = rng_range(&g->rng, -0.9, 0.9);
    a->home.y = -6;
}

void lantern_update(struct game *g, struct actor *a)
{
    (void)g;
    /* the pendulum's own equation, gravity 260 px/s2, semi-implicit Euler */
    a->spin -= 260.0 / a->param * sin(a->angle) * TICK;
    a->angle += a->spin * TICK;
    a->home.x -= 52 * TICK;
    a->at.x = a->home.x + a->param * sin(a->angle);
    a->at.y = a->home.y + a->param * cos(a->angle);
}

void lantern_draw(struct canvas *c, const struct game *g, const struct actor *a)
{
    static const struct sprite body = {13, 17,
                                       "....eeeee...."
                                       "...eeeeeee..."
                                       "..abbcccbba.."
                                       ".abbccdccbba."
                                       "abbccdddccbba"
                                       "aabbbbbbbbbaa"
                                       "abbccdddccbba"
                                       "abbccdddccbba"
                                       "aabbbbbbbbbaa"
                                       "abbccdddccbba"
                                       ".abbccdccbba."
                                       "..abbcccbba.."
                                       "...eeeeeee..."
                                       "....eeeee...."
                                       "......f......"
                                       ".....fff....."
                                       ".....f.f....."};
    const uint32_t palette[6] = {lit(a, 0xa82838), lit(a, 0xe8503c), lit(a, 0xff9a48),
                                 lit(a, 0xffe69a), lit(a, 0x4a2030), 0xffc860};
    int x = (int)floor(a->at.x), y = (int)floor(a->at.y);
    canvas_line(c, (int)floor(a->home.x), (int)floor(a->home.y), x, y - 8, 0x2a1830);
    canvas_glow(c, a->at.x, a->at.y, 25, 0xff7030, 120 + (int)(20 * sin(g->tick * 0.11 + a->serial)));
    canvas_sprite(c, &body, x - 6, y - 8, palette);
}

void lantern_die(struct game *g, struct actor *a)
{
    actor_burst(g, a);
    for (int i = -1; i <= 1; i++) actor_add(g, ACTOR_EMBER, a->at.x + i * 9, a->at.y + 6 * (i & 1), 1);
}

/* ---- storm puff: comes to rest, then breathes rings of hail ---------------------------------------------------- */

void puff_update(struct game *g, struct actor *a)
{
    double rest = VIEW_W * 0.74;
    a->speed.x = a->age < 400 ? (rest - a->at.x) * 0.9 - 6 : -70;
    a->at.x += a->speed.x * TICK;
    a->at.y = a->home.y + 9 * sin(a->age * 0.04);
    if (a->age < 60 || a->age % 75 != 0) return;
    int count = 7 + 2 * g->level.number;
    for (int i = 0; i < count; i++)
        shot_fire(g, a->at, towards_kite(g, a->at) + i * 2 * PI / count, 74, true, 0x58b8ff);
    sound_effect(g->sound, EFFECT_GUST, 0.3, 1.7);
}

void puff_draw(struct canvas *c, const struct game *g, const struct actor *a)
{
    static const double lobe[6][3] = {{-10, 3, 7}, {10, 3, 7}, {-5, -4, 8}, {6, -5, 8}, {0, 2, 10}, {0, -7, 6}};
    double x = a->at.x, y = a->at.y, swell = 1 + 0.06 * sin(a->age * 0.15);
    (void)g;
    for (int i = 0; i < 6; i++)
        canvas_ellipse(c, x + lobe[i][0] * swell, y + lobe[i][1] + 2, lobe[i][2] * swell + 1, lobe[i][2] * swell + 1, lit(a, 0x2a2a5c));
    for (int i = 0; i < 6; i++)
        canvas_ellipse(c, x + lobe[i][0] * swell, y + lobe[i][1], lobe[i][2] * swell, lobe[i][2] * swell, lit(a, 0x565a9c));
    for (int i = 0; i < 6; i++)
        canvas_ellipse(c, x + lobe[i][0] * swell + 1, y + lobe[i][1] - 2, lobe[i][2] * 0.66, lobe[i][2] * 0.6, lit(a, 0x8a90cc));
    triangle(c, x - 9, y - 4, x - 2, y - 1, x - 8, y + 1, 0x181838);
    triangle(c, x + 9, y - 4, x + 2, y - 1, x + 8, y + 1, 0x181838);
    canvas_rect(c, (int)x - 7, (int)y - 1, 3, 2, 0xffe060);
    canvas_rect(c, (int)x + 5, (int)y - 1, 3, 2, 0xffe060);
    canvas_ellipse(c, x, y + 6, 3.0, a->age % 75 > 60 ? 3.2 : 1.4, 0x181838);
}

/* ---- what may be picked up: drifts by, and comes to a kite that is near; param 1 = sprung from a foe ------------ */

void ember_update(struct game *g, struct actor *a)
{
    if (a->age == 1) a->speed = (struct vec){a->param > 0 ? -20 : -62, a->param > 0 ? -50 : 0};
    double dx = g->kite.at.x - a->at.x, dy = g->kite.at.y - a->at.y, d = sqrt(dx * dx + dy * dy) + 1;
    if (d < 46 && !g->kite.falling) {
        a->speed.x += dx / d * 900 * TICK;
        a->speed.y += dy / d * 900 * TICK;
    } else {
        double keep = exp(-1.6 * TICK);
        a->speed.x = -62 + (a->speed.x + 62) * keep;
        a->speed.y *= keep;
    }
    a->at.x += a->speed.x * TICK;
    a->at.y += a->speed.y * TICK;
    if (a->at.y > HORIZON - 6) a->at.y = HORIZON - 6;
}

void ember_draw(struct canvas *c, const struct game *g, const struct actor *a)
{
    static const struct sprite frames[4] = {
        {7, 7, "...a..." "..aba.." ".abcba." "abcdcba" ".abcba." "..aba.." "...a..."},
        {7, 7, "...a..." "..aba.." "..aca.." ".acdca." "..aca.." "..aba.." "...a..."},
        {7, 7, "...a..." "...a..." "...c..." "..cdc.." "...c..." "...a..." "...a..."},
        {7, 7, "...a..." "..aba.." "..aca.." ".acdca." "..aca.." "..aba.." "...a..."},
    };
    static const uint32_t palette[4] = {0xff7a24, 0xffb040, 0xffe078, 0xffffff};
    int x = (int)floor(a->at.x), y = (int)floor(a->at.y);
    canvas_glow(c, a->at.x, a->at.y, 10, 0xff8020, 110);
    canvas_sprite(c, &frames[(g->tick / 7 + (int)a->serial) & 3], x - 3, y - 3, palette);
}

void heart_draw(struct canvas *c, const struct game *g, const struct actor *a)
{
    static const struct sprite heart = {9, 8,
                                        ".aa...aa."
                                        "abba.abba"
                                        "abcbabbba"
                                        "abbbbbbba"
                                        ".abbbbba."
                                        "..abbba.."
                                        "...aba..."
                                        "....a...."};
    static const uint32_t palette[3] = {0x8c1440, 0xff4a70, 0xffd0dc};
    canvas_glow(c, a->at.x, a->at.y, 14, 0xff3060, 110 + (int)(30 * sin(g->tick * 0.2)));
    canvas_sprite(c, &heart, (int)floor(a->at.x) - 4, (int)floor(a->at.y) - 4, palette);
}
