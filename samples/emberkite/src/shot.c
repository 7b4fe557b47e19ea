#include <math.h>

#include "game.h"

enum { SPARK_TICKS = 31 }; /* how far a spark flies: about half the picture */

void shot_fire(struct game *g, struct vec at, double angle, double speed, bool foe, uint32_t colour)
{
    for (int i = 0; i < MAX_SHOTS; i++) {
        struct shot *s = &g->shots[i];
        if (s->life) continue;
        *s = (struct shot){at, {cos(angle) * speed, sin(angle) * speed}, foe ? 240 : SPARK_TICKS, foe, colour};
        return;
    }
}

static bool touches(struct vec a, struct vec b, double reach)
{
    double dx = a.x - b.x, dy = a.y - b.y;
    return dx * dx + dy * dy < reach * reach;
}

/* The serpent is hit anywhere along its body, everything else around its centre. */
static bool hits_actor(const struct shot *s, const struct actor *a)
{
    if (touches(s->at, a->at, a->kind->radius + 3)) return true;
    if (a->body)
        for (int i = 0; i < SERPENT_SEGMENTS; i++)
            if (touches(s->at, a->body[i], 7)) return true;
    return false;
}

static void strike(struct game *g, struct shot *s)
{
    for (struct actor *a = g->actors; a; a = a->next) {
        if (a->gone || a->kind->pickup || !hits_actor(s, a)) continue;
        s->life = 0;
        particle_burst(g, s->at, 4, 60, LOOK_EMBER);
        actor_damage(g, a, 1);
        return;
    }
}

void shots_update(struct game *g)
{
    for (int i = 0; i < MAX_SHOTS; i++) {
        struct shot *s = &g->shots[i];
        if (s->life == 0) continue;
        s->life--;
        s->at.x += s->speed.x * TICK;
        s->at.y += s->speed.y * TICK;
        if (s->at.x < -8 || s->at.x > VIEW_W + 8 || s->at.y < -8) s->life = 0;
        if (s->at.y > HORIZON) {
            s->life = 0;
            particle_burst(g, (struct vec){s->at.x, HORIZON - 1}, 4, 40, LOOK_SPRAY);
        }
        if (s->life == 0) continue;
        if (!s->foe) {
            strike(g, s);
        } else if (touches(s->at, g->kite.at, 5.0)) {
            s->life = 0;
            kite_hurt(g);
        }
    }
}

void shots_scatter(struct game *g, struct vec centre, double radius)
{
    for (int i = 0; i < MAX_SHOTS; i++) {
        struct shot *s = &g->shots[i];
        if (s->life == 0 || !s->foe || !touches(s->at, centre, radius)) continue;
        s->life = 0;
        particle_burst(g, s->at, 3, 50, LOOK_ICE);
        score_add(g, 5);
    }
}

static void draw_spark(struct canvas *c, const struct shot *s)
{
    int x = (int)floor(s->at.x), y = (int)floor(s->at.y);
    int back_x = (int)floor(s->at.x - s->speed.x * 0.028), back_y = (int)floor(s->at.y - s->speed.y * 0.028);
    canvas_glow(c, s->at.x, s->at.y, 7, s->colour, 120);
    canvas_line(c, back_x, back_y, x, y, 0xff9a3c);
    canvas_line(c, (x + back_x) / 2, (y + back_y) / 2, x, y, 0xffe890);
    canvas_rect(c, x - 1, y, 3, 1, 0xffffff);
}

static void draw_ball(struct canvas *c, const struct shot *s)
{
    double beat = 0.4 * sin(s->life * 0.5);
    canvas_glow(c, s->at.x, s->at.y, 9, s->colour, 150);
    canvas_ellipse(c, s->at.x, s->at.y, 3.2 + beat, 3.2 + beat, s->colour);
    canvas_ellipse(c, s->at.x, s->at.y, 1.7, 1.7, 0xffffff);
}

void shots_draw(struct canvas *c, const struct game *g)
{
    for (int i = 0; i < MAX_SHOTS; i++) {
        const struct shot *s = &g->shots[i];
        if (s->life) (s->foe ? draw_ball : draw_spark)(c, s);
    }
}
