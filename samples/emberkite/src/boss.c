/* The two guardians: the ink owl of the lake and the storm serpent of the peaks. */
#include <math.h>
#include <stdlib.h>

#include "game.h"

static uint32_t lit(const struct actor *a, uint32_t colour)
{
    return a->flash > 2 ? rgb_mix(colour, 0xffffff, 80) : colour;
}

static void triangle(struct canvas *c, double ax, double ay, double bx, double by, double cx, double cy, uint32_t colour)
{
    const double corner[3][2] = {{ax, ay}, {bx, by}, {cx, cy}};
    canvas_triangle(c, corner, colour);
}

static double towards_kite(const struct game *g, struct vec from)
{
    return atan2(g->kite.at.y - from.y, g->kite.at.x - from.x);
}

static void announce(struct game *g, const char *name)
{
    g->level.message = name;
    g->level.message_left = 90;
    g->level.message_shown = 0;
    g->level.boss_met = g->level.boss_alive = true;
    sound_song(g->sound, SONG_BOSS);
    sound_effect(g->sound, EFFECT_ROAR, 0.3, 1);
    g->shake = 5;
}

void boss_die(struct game *g, struct actor *a)
{
    g->level.boss_alive = false;
    g->shake = 12;
    for (int i = 0; i < 6; i++) {
        struct vec at = {a->at.x + rng_range(&g->dust, -22, 22), a->at.y + rng_range(&g->dust, -22, 22)};
        particle_burst(g, at, 34, 90.0 + i * 26, i & 1 ? LOOK_FEATHER : LOOK_EMBER);
    }
    for (int i = 0; i < 14; i++)
        actor_add(g, ACTOR_EMBER, a->at.x + rng_range(&g->rng, -26, 26), a->at.y + rng_range(&g->rng, -26, 26), 1);
    for (int i = 0; i < MAX_SHOTS; i++)
        if (g->shots[i].foe) g->shots[i].life = 0;
    sound_effect(g->sound, EFFECT_ROAR, 0.2, 0.6);
    sound_effect(g->sound, EFFECT_BURST, 0.2, 0.5);
}

/* ---- ink owl --------------------------------------------------------------------------------------------------- */

void owl_spawn(struct game *g, struct actor *a)
{
    (void)a;
    announce(g, "THE INK OWL");
}

static void owl_fan(struct game *g, struct actor *a, int count, double width)
{
    double aim = towards_kite(g, a->at);
    for (int i = 0; i < count; i++)
        shot_fire(g, a->at, aim + (i - (count - 1) / 2.0) * width, 112, true, 0xff4a9a);
    sound_effect(g->sound, EFFECT_GUST, 0.3, 1.4);
}

static void owl_ring(struct game *g, struct actor *a)
{
    for (int i = 0; i < 14; i++)
        shot_fire(g, a->at, a->age * 0.05 + i * 2 * PI / 14, 80, true, 0xc060ff);
    sound_effect(g->sound, EFFECT_GUST, 0.3, 0.9);
}

void owl_update(struct game *g, struct actor *a)
{
    double rest = VIEW_W - 62 + 12 * sin(a->age * 0.023);
    a->at.x += (rest - a->at.x) * 0.035;
    a->at.y = 68 + 34 * sin(a->age * 0.027);
    if (a->age < 70) return;
    switch (a->age % 240) {
    case 0: owl_fan(g, a, 3, 0.26); break;
    case 40: owl_fan(g, a, 4, 0.2); break;
    case 80: owl_fan(g, a, 5, 0.17); break;
    case 140: owl_ring(g, a); break;
    case 165: owl_ring(g, a); break;
    case 200: actor_add(g, ACTOR_CROW, VIEW_W + 10, 40, 16); break;
    case 215: actor_add(g, ACTOR_CROW, VIEW_W + 10, 100, 16); break;
    default: break;
    }
}

/* Seven feathers fanned out from the shoulder; `side` -1 left, 1 right. */
static void owl_wing(struct canvas *c, const struct actor *a, double side, double beat)
{
    double sx = a->at.x + side * 12, sy = a->at.y - 6;
    for (int i = 6; i >= 0; i--) {
        double angle = -0.75 + i * 0.27 + beat * (0.8 - i * 0.05);
        double length = 40 - i * 3.2;
        double tx = sx + side * cos(angle) * length, ty = sy + sin(angle) * length;
        double nx = -sin(angle) * 4.5, ny = cos(angle) * 4.5;
        uint32_t colour = lit(a, i & 1 ? 0x3a2a68 : 0x2c1f54);
        triangle(c, sx + side * nx, sy - ny, sx - side * nx, sy + ny + 3, tx, ty, colour);
        triangle(c, sx, sy, sx - side * nx, sy + ny + 3, tx, ty, lit(a, 0x4c3a86));
    }
}

void owl_draw(struct canvas *c, const struct game *g, const struct actor *a)
{
    double x = floor(a->at.x), y = floor(a->at.y), beat = sin(a->age * 0.11);
    canvas_glow(c, x, y, 58, 0x7030c0, 70);
    owl_wing(c, a, -1, beat);
    owl_wing(c, a, 1, beat);
    triangle(c, x - 9, y + 18, x + 9, y + 18, x, y + 34, lit(a, 0x2c1f54));
    canvas_ellipse(c, x, y + 4, 18, 22, lit(a, 0x1c1440));
    canvas_ellipse(c, x, y + 4, 16.5, 20.5, lit(a, 0x382a6c));
    canvas_ellipse(c, x, y + 10, 11, 13, lit(a, 0x6a58a4));
    for (int row = 0; row < 4; row++)
        for (int col = -2 + (row & 1); col <= 2; col += 2) {
            int fx = (int)x + col * 4, fy = (int)y + 4 + row * 4;
            canvas_line(c, fx - 2, fy, fx, fy + 2, lit(a, 0x3e3078));
            canvas_line(c, fx, fy + 2, fx + 2, fy, lit(a, 0x3e3078));
        }
    canvas_ellipse(c, x, y - 12, 17, 12, lit(a, 0x2a1e58));
    triangle(c, x - 16, y - 14, x - 5, y - 21, x - 17, y - 29, lit(a, 0x2a1e58));
    triangle(c, x + 16, y - 14, x + 5, y - 21, x + 17, y - 29, lit(a, 0x2a1e58));
    double look = towards_kite(g, a->at);
    int closed = a->age % 130 > 124;
    for (int side = -1; side <= 1; side += 2) {
        double ex = x + side * 7.5, ey = y - 12;
        canvas_ellipse(c, ex, ey, 7.5, 7.5, lit(a, 0x5a4a96));
        canvas_glow(c, ex, ey, 13, 0xffb020, 130);
        canvas_ellipse(c, ex, ey, 5.6, closed ? 1.0 : 5.6, 0xffc83c);
        if (!closed) canvas_ellipse(c, ex + cos(look) * 2, ey + sin(look) * 2, 2.8, 2.8, 0x1a0c28);
        if (!closed) canvas_rect(c, (int)(ex + cos(look) * 2) - 1, (int)(ey + sin(look) * 2) - 2, 2, 2, 0xffffff);
    }
    triangle(c, x - 3, y - 9, x + 3, y - 9, x, y - 2, 0xff8a3c);
}

/* ---- storm serpent --------------------------------------------------------------------------------------------- */

void serpent_spawn(struct game *g, struct actor *a)
{
    a->body = calloc(SERPENT_SEGMENTS, sizeof *a->body);
    for (int i = 0; a->body && i < SERPENT_SEGMENTS; i++) a->body[i] = (struct vec){a->at.x + i * 8.0, a->at.y};
    announce(g, "THE STORM SERPENT");
}

/* Each segment keeps eight pixels behind the one before it: the rest of the body first hears what the front did. */
static void serpent_follow(struct vec *body, int index, struct vec leader)
{
    if (index == SERPENT_SEGMENTS) return;
    double dx = body[index].x - leader.x, dy = body[index].y - leader.y, d = sqrt(dx * dx + dy * dy) + 1e-6;
    body[index].x = leader.x + dx / d * 8.0 + 0.35;
    body[index].y = leader.y + dy / d * 8.0;
    serpent_follow(body, index + 1, body[index]);
}

void serpent_update(struct game *g, struct actor *a)
{
    double t = a->age * TICK;
    double wx = VIEW_W - 84 + 52 * sin(t * 0.9) + 10 * sin(t * 3.7), wy = 74 + 46 * sin(t * 1.35);
    a->at.x += (wx - a->at.x) * 0.05;
    a->at.y += (wy - a->at.y) * 0.06;
    a->angle += (towards_kite(g, a->at) - a->angle) * 0.2;
    if (a->body) serpent_follow(a->body, 0, a->at);
    if (a->age < 80) return;
    int beat = a->age % 300;
    if (beat < 120 && beat % 9 == 0)
        shot_fire(g, a->at, a->angle + 0.5 * sin(a->age * 0.09), 120, true, 0x50d8ff);
    else if (beat >= 160 && beat < 240 && beat % 20 == 0)
        for (int i = 0; i < 10; i++) shot_fire(g, a->at, a->age * 0.03 + i * 2 * PI / 10, 78, true, 0x60ffb0);
    else if (beat == 270 && a->body)
        actor_add(g, ACTOR_WISP, a->body[SERPENT_SEGMENTS - 1].x, a->body[SERPENT_SEGMENTS - 1].y, 0);
    if (beat == 0) sound_effect(g->sound, EFFECT_ROAR, 0.2, 1.3);
}

static void serpent_head(struct canvas *c, const struct actor *a)
{
    double x = a->at.x, y = a->at.y, gape = 3 + 2.5 * sin(a->age * 0.2);
    canvas_glow(c, x, y, 34, 0x30b0d0, 110);
    triangle(c, x + 4, y - 8, x + 24, y - 19, x + 12, y - 4, lit(a, 0xd8fff0));
    triangle(c, x + 6, y - 4, x + 24, y - 8, x + 12, y + 2, lit(a, 0x9ad8d8));
    canvas_ellipse(c, x + 2, y - 1, 13, 11, lit(a, 0x0c2c48));
    triangle(c, x + 2, y - 9, x + 2, y + 3, x - 21, y + 1 - gape * 0.4, lit(a, 0x2a88a0));
    triangle(c, x + 4, y + 4, x + 2, y + 11, x - 17, y + 4 + gape, lit(a, 0x1c6480));
    canvas_ellipse(c, x + 2, y - 2, 11.5, 9.5, lit(a, 0x2a88a0));
    canvas_ellipse(c, x + 3, y - 5, 8, 5, lit(a, 0x58c8c8));
    canvas_rect(c, (int)floor(x) - 15, (int)floor(y + 2), 2, 3, 0xffffff);
    canvas_rect(c, (int)floor(x) - 10, (int)floor(y + 3), 2, 3, 0xffffff);
    canvas_glow(c, x - 3, y - 4, 9, 0xfff060, 160);
    canvas_ellipse(c, x - 3, y - 4, 3, 2.6, 0xfff080);
    canvas_rect(c, (int)floor(x) - 4, (int)floor(y) - 6, 1, 4, 0x102030);
}

void serpent_draw(struct canvas *c, const struct game *g, const struct actor *a)
{
    (void)g;
    for (int i = SERPENT_SEGMENTS - 1; a->body && i >= 0; i--) {
        double r = 9.5 - i * 0.38, x = a->body[i].x, y = a->body[i].y;
        if (i % 3 == 1) {
            double sway = 4 * sin(a->age * 0.17 - i);
            triangle(c, x - 4, y - r + 2, x + 4, y - r + 2, x + 6 + sway, y - r - 9, lit(a, 0x60e0d0));
        }
        canvas_ellipse(c, x, y, r + 1, r + 1, lit(a, 0x0a2440));
        canvas_ellipse(c, x, y, r, r, lit(a, i & 1 ? 0x1c6480 : 0x237890));
        canvas_ellipse(c, x - 1, y - r * 0.35, r * 0.62, r * 0.45, lit(a, 0x48b4b8));
        canvas_ellipse(c, x, y + r * 0.55, r * 0.6, r * 0.34, lit(a, 0xb8e8c8));
    }
    serpent_head(c, a);
}
