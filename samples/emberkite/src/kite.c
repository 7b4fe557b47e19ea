#include <math.h>

#include "game.h"

enum { TAIL_GAP = 5, RELOAD = 7 };

void kite_reset(struct kite *k)
{
    *k = (struct kite){.at = {-20, 70}, .hearts = 3, .power = 1, .gust = 1};
    for (int i = 0; i < TAIL_NODES; i++) k->tail[i] = k->tail_before[i] = (struct vec){-30.0 - i * TAIL_GAP, 70};
}

/* The tail is a rope: each node keeps its inertia (Verlet), the wind blows it back, and three rounds of pulling
 * neighbours to their distance make it follow the kite. */
static void tail_update(struct game *g, struct kite *k)
{
    double time = g->tick * TICK;
    for (int i = 0; i < TAIL_NODES; i++) {
        struct vec now = k->tail[i], *before = &k->tail_before[i];
        double flutter = 330 * sin(time * 7.0 - i * 0.75) + 150 * sin(time * 11.3 - i * 1.2);
        k->tail[i].x += (now.x - before->x) * 0.84 - 2300 * TICK * TICK;
        k->tail[i].y += (now.y - before->y) * 0.84 + (60 + flutter) * TICK * TICK;
        *before = now;
    }
    struct vec anchor = {k->at.x - 11 * cos(k->bank), k->at.y - 11 * sin(k->bank)};
    for (int round = 0; round < 3; round++) {
        struct vec pulled_to = anchor;
        for (int i = 0; i < TAIL_NODES; i++) {
            double dx = k->tail[i].x - pulled_to.x, dy = k->tail[i].y - pulled_to.y;
            double length = sqrt(dx * dx + dy * dy) + 1e-9, excess = (length - TAIL_GAP) / length;
            double share = i == 0 ? 1.0 : 0.75;
            k->tail[i].x -= dx * excess * share;
            k->tail[i].y -= dy * excess * share;
            pulled_to = k->tail[i];
        }
    }
}

static void move(struct game *g, struct kite *k, double ax, double ay)
{
    double keep = exp(-5.2 * TICK);
    k->speed.x = k->speed.x * keep + ax * TICK;
    k->speed.y = k->speed.y * keep + (ay + 18 * sin(g->tick * TICK * 2.3)) * TICK;
    k->at.x += k->speed.x * TICK;
    k->at.y += k->speed.y * TICK;
    double wanted = atan2(k->speed.y, 190.0);
    k->bank += (wanted - k->bank) * 0.16;
    tail_update(g, k);
    if (k->at.y > HORIZON - 15 && rng_below(&g->dust, 2) == 0) {
        struct vec spray = {rng_range(&g->dust, -90, -20), rng_range(&g->dust, -70, -20)};
        particle_emit(g, (struct vec){k->at.x - 6, HORIZON - 1}, spray, LOOK_SPRAY, 34);
    }
}

static void fire(struct game *g, struct kite *k)
{
    struct vec nose = {k->at.x + 13 * cos(k->bank), k->at.y + 13 * sin(k->bank)};
    for (int i = 0; i < k->power; i++) {
        double spread = (i - (k->power - 1) * 0.5) * 0.11;
        shot_fire(g, nose, k->bank * 0.35 + spread, 330, false, 0xffa040);
    }
    k->reload = RELOAD;
    sound_effect(g->sound, EFFECT_SPARK, k->at.x / VIEW_W - 0.5, 1.0 + 0.03 * (g->tick % 3));
}

static void gust_update(struct game *g, struct kite *k)
{
    if (k->ring <= 0) return;
    k->ring += 260 * TICK;
    shots_scatter(g, k->at, k->ring);
    for (struct actor *a = g->actors; a; a = a->next) {
        double dx = a->at.x - k->at.x, dy = a->at.y - k->at.y, d = sqrt(dx * dx + dy * dy);
        if (!a->kind->pickup && !a->gone && fabs(d - k->ring) < 4.5) actor_damage(g, a, 2);
    }
    if (k->ring > 120) k->ring = 0;
}

static void fall(struct game *g, struct kite *k)
{
    k->speed.y += 160 * TICK;
    k->speed.x *= 0.99;
    k->at.x += k->speed.x * TICK;
    k->at.y += k->speed.y * TICK;
    k->bank += 0.05;
    tail_update(g, k);
    particle_emit(g, k->at, (struct vec){rng_range(&g->dust, -30, 10), rng_range(&g->dust, -50, -10)},
                  g->tick & 1 ? LOOK_EMBER : LOOK_SMOKE, 50);
    if (k->at.y > HORIZON + 6 && !g->leaving) {
        particle_burst(g, (struct vec){k->at.x, HORIZON - 1}, 60, 150, LOOK_SPRAY);
        game_to_scene(g, SCENE_LOSE);
    }
}

void kite_update(struct game *g, unsigned buttons)
{
    struct kite *k = &g->kite;
    if (k->falling) {
        fall(g, k);
        return;
    }
    double ax = 0, ay = 0, push = 880;
    if (g->level.ticks < 40) {
        ax = 420; /* it sails in by itself */
    } else {
        if (buttons & BUTTON_LEFT) ax -= push;
        if (buttons & BUTTON_RIGHT) ax += push;
        if (buttons & BUTTON_UP) ay -= push;
        if (buttons & BUTTON_DOWN) ay += push;
    }
    if (ax != 0 && ay != 0) {
        ax *= sqrt(0.5);
        ay *= sqrt(0.5);
    }
    move(g, k, ax, ay);
    if (g->level.ticks >= 40) {
        if (k->at.x < 16) k->at.x = 16;
        if (k->at.x > VIEW_W - 30) k->at.x = VIEW_W - 30;
    }
    if (k->at.y < 22) k->at.y = 22;
    if (k->at.y > HORIZON - 9) k->at.y = HORIZON - 9;
    if (k->reload) k->reload--;
    if (k->shield) k->shield--;
    if ((buttons & BUTTON_A) && k->reload == 0) fire(g, k);
    if ((g->pressed & BUTTON_B) && k->gust >= 1 && k->ring <= 0) {
        k->gust = 0;
        k->ring = 6;
        g->shake = 4;
        sound_effect(g->sound, EFFECT_GUST, 0, 1);
    }
    gust_update(g, k);
    if (g->tick % 4 == 0)
        particle_emit(g, k->tail[TAIL_NODES - 1], (struct vec){rng_range(&g->dust, -50, -20), rng_range(&g->dust, -12, 12)},
                      LOOK_EMBER, 30);
}

void kite_drift(struct game *g, struct vec wanted)
{
    struct kite *k = &g->kite;
    move(g, k, (wanted.x - k->at.x) * 14 - k->speed.x * 2, (wanted.y - k->at.y) * 14 - k->speed.y * 2);
    if (g->tick % 3 == 0)
        particle_emit(g, k->tail[TAIL_NODES - 1], (struct vec){rng_range(&g->dust, -60, -20), rng_range(&g->dust, -14, 14)},
                      LOOK_EMBER, 44);
}

void kite_hurt(struct game *g)
{
    struct kite *k = &g->kite;
    if (k->shield || k->falling) return;
    k->hearts--;
    k->shield = 100;
    k->power = 1;
    g->chain = 0;
    g->shake = 7;
    particle_burst(g, k->at, 36, 130, LOOK_EMBER);
    sound_effect(g->sound, EFFECT_HURT, 0, 1);
    if (k->hearts == 0) {
        k->falling = true;
        game_say(g, "the kite is falling");
    }
}

/* ---- drawing --------------------------------------------------------------------------------------------------- */

static void place(const struct kite *k, const double (*shape)[2], double (*out)[2], int count)
{
    double co = cos(k->bank), si = sin(k->bank);
    for (int i = 0; i < count; i++) {
        out[i][0] = k->at.x + shape[i][0] * co - shape[i][1] * si;
        out[i][1] = k->at.y + shape[i][0] * si + shape[i][1] * co;
    }
}

static void draw_facet(struct canvas *c, const struct kite *k, const double (*shape)[2], uint32_t colour)
{
    double corner[3][2];
    place(k, shape, corner, 3);
    canvas_triangle(c, (const double (*)[2])corner, colour);
}

static void draw_tail(struct canvas *c, const struct kite *k)
{
    static const uint32_t ramp[5] = {0xffe08a, 0xff9a48, 0xf0503c, 0xb8306a, 0x6a2c88};
    for (int i = TAIL_NODES - 1; i > 0; i--) {
        uint32_t colour = ramp[i * 5 / TAIL_NODES];
        int x0 = (int)floor(k->tail[i - 1].x), y0 = (int)floor(k->tail[i - 1].y);
        int x1 = (int)floor(k->tail[i].x), y1 = (int)floor(k->tail[i].y);
        canvas_line(c, x0, y0, x1, y1, colour);
        if (i < 9) canvas_line(c, x0, y0 + 1, x1, y1 + 1, rgb_scale(colour, 190));
        if (i % 4 == 3) { /* a bow */
            canvas_rect(c, x1 - 1, y1 - 3, 3, 3, rgb_mix(colour, 0xffffff, 70));
            canvas_rect(c, x1 - 1, y1 + 1, 3, 3, colour);
        }
    }
}

void kite_draw(struct canvas *c, const struct game *g)
{
    const struct kite *k = &g->kite;
    if (k->ring > 0) {
        int fade = (int)(220 - k->ring * 1.7);
        canvas_ring(c, k->at.x, k->at.y, k->ring, 2.5, 0xc8f4ff, fade < 0 ? 0 : fade);
        canvas_ring(c, k->at.x, k->at.y, k->ring * 0.86, 1.2, 0xffffff, fade < 0 ? 0 : fade / 2);
    }
    draw_tail(c, k);
    if (k->shield && (g->tick >> 2 & 1)) return;
    double flap = 2.2 * sin(g->tick * TICK * 9.0);
    const double rim[4][3][2] = {
        {{17, 0}, {-2, -12}, {-2, 0}}, {{-2, -12}, {-15, 0}, {-2, 0}}, {{17, 0}, {-2, 12}, {-2, 0}}, {{-2, 12}, {-15, 0}, {-2, 0}}};
    const double facet[4][3][2] = {
        {{15, 0}, {-2, -10}, {-2, 0}}, {{-2, -10}, {-13, 0}, {-2, 0}}, {{15, 0}, {-2, 10}, {-2, 0}}, {{-2, 10}, {-13, 0}, {-2, 0}}};
    static const uint32_t tone[4] = {0xffe27a, 0xffa53e, 0xf4693a, 0xc93a4e};
    const double fin[2][3][2] = {{{-3, -10}, {-10, -13 - flap}, {-7, -6}}, {{-3, 10}, {-10, 13 + flap}, {-7, 6}}};
    for (int i = 0; i < 2; i++) draw_facet(c, k, fin[i], i ? 0x9a2c66 : 0xd8447a);
    for (int i = 0; i < 4; i++) draw_facet(c, k, rim[i], 0x3a1030);
    for (int i = 0; i < 4; i++) draw_facet(c, k, facet[i], tone[i]);
    const double spar[6][2] = {{15, 0}, {-13, 0}, {-2, -10}, {-2, 10}, {5, -2.5}, {-2, 0}};
    double on[6][2];
    place(k, spar, on, 6);
    for (int i = 0; i < 4; i += 2)
        canvas_line(c, (int)floor(on[i][0]), (int)floor(on[i][1]), (int)floor(on[i + 1][0]), (int)floor(on[i + 1][1]), 0x7a2838);
    canvas_rect(c, (int)floor(on[4][0]) - 1, (int)floor(on[4][1]) - 1, 3, 3, 0xfff8e0); /* the painted eye */
    canvas_rect(c, (int)floor(on[4][0]), (int)floor(on[4][1]) - 1, 2, 2, 0x30102c);
    canvas_glow(c, on[5][0], on[5][1], 26, 0xff7a28, 70 + (int)(20 * sin(g->tick * 0.13)));
    if (k->gust >= 1) canvas_ring(c, k->at.x, k->at.y, 19 + sin(g->tick * 0.2), 0.7, 0xa0e8ff, 40);
}
