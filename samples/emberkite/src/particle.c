#include <math.h>

#include "game.h"

/* Five colours from birth to death, and how a kind of particle moves. */
static const struct {
    uint32_t ramp[5];
    double drag, weight;
    bool glows;
} looks[LOOK_COUNT] = {
    [LOOK_EMBER] = {{0xffffd0, 0xffd860, 0xff8a30, 0xd03a2a, 0x601830}, 1.8, -26, true},
    [LOOK_SMOKE] = {{0x8a6a8a, 0x6a4a78, 0x4c3462, 0x342450, 0x221a3c}, 2.6, -14, false},
    [LOOK_SPRAY] = {{0xffffff, 0xd8ecff, 0xa0c8f0, 0x7098d0, 0x5070b0}, 0.8, 210, false},
    [LOOK_ICE] = {{0xf0ffff, 0xb0f0ff, 0x60c8ff, 0x4078e0, 0x303890}, 2.2, 12, true},
    [LOOK_FEATHER] = {{0x4a3a70, 0x3c2e60, 0x2e2450, 0x241c42, 0x1c1636}, 3.4, 46, false},
};

void particle_emit(struct game *g, struct vec at, struct vec speed, enum particle_look look, int lifetime)
{
    struct particle *p = &g->particles[g->particle_next];
    g->particle_next = (g->particle_next + 1) % MAX_PARTICLES;
    *p = (struct particle){at, speed, looks[look].drag, looks[look].weight, lifetime, lifetime, look};
}

void particle_burst(struct game *g, struct vec at, int count, double speed, enum particle_look look)
{
    for (int i = 0; i < count; i++) {
        double angle = rng_range(&g->dust, 0, 2 * PI), reach = speed * sqrt(rng_range(&g->dust, 0.02, 1));
        struct vec v = {cos(angle) * reach, sin(angle) * reach};
        particle_emit(g, at, v, look, 20 + (int)rng_below(&g->dust, 34));
    }
}

void particles_update(struct game *g)
{
    double slow[LOOK_COUNT];
    for (int i = 0; i < LOOK_COUNT; i++) slow[i] = exp(-looks[i].drag * TICK);
    for (int i = 0; i < MAX_PARTICLES; i++) {
        struct particle *p = &g->particles[i];
        if (p->life == 0) continue;
        p->life--;
        p->speed.x *= slow[p->look];
        p->speed.y = p->speed.y * slow[p->look] + p->weight * TICK;
        p->at.x += p->speed.x * TICK;
        p->at.y += p->speed.y * TICK;
        if (p->at.y > HORIZON + 4) p->life = 0;
    }
}

void particles_draw(struct canvas *c, const struct game *g)
{
    for (int i = 0; i < MAX_PARTICLES; i++) {
        const struct particle *p = &g->particles[i];
        if (p->life == 0) continue;
        int age = (p->lifetime - p->life) * 5 / p->lifetime;
        uint32_t colour = looks[p->look].ramp[age > 4 ? 4 : age];
        int x = (int)floor(p->at.x), y = (int)floor(p->at.y);
        if (looks[p->look].glows) {
            canvas_add(c, x, y, colour, 256);
            if (age < 3) {
                canvas_add(c, x - 1, y, colour, 80);
                canvas_add(c, x + 1, y, colour, 80);
                canvas_add(c, x, y - 1, colour, 80);
                canvas_add(c, x, y + 1, colour, 80);
            }
        } else {
            canvas_blend(c, x, y, colour, 200);
            if (age < 2) canvas_blend(c, x + 1, y, colour, 150);
        }
    }
}
