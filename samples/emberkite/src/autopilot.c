/* Plays the demonstration: tries nine ways to push, flies each a little into the future, and takes the best. */
#include <math.h>

#include "game.h"

enum { STEPS = 9, STEP_TICKS = 3 };

static const unsigned moves[9] = {
    0,
    BUTTON_UP,
    BUTTON_DOWN,
    BUTTON_LEFT,
    BUTTON_RIGHT,
    BUTTON_UP | BUTTON_LEFT,
    BUTTON_UP | BUTTON_RIGHT,
    BUTTON_DOWN | BUTTON_LEFT,
    BUTTON_DOWN | BUTTON_RIGHT,
};

static double threat(struct vec a, struct vec b, double reach)
{
    double dx = a.x - b.x, dy = a.y - b.y, d = sqrt(dx * dx + dy * dy);
    if (d < reach) return 60 + (reach - d) * 8;
    if (d < reach + 16) return (reach + 16 - d) * 0.5;
    return 0;
}

static struct vec ahead(struct vec at, struct vec speed, double time)
{
    return (struct vec){at.x + speed.x * time, at.y + speed.y * time};
}

static double danger_at(const struct game *g, struct vec at, double time)
{
    double sum = 0;
    for (int i = 0; i < MAX_SHOTS; i++) {
        const struct shot *s = &g->shots[i];
        if (s->life && s->foe) sum += threat(at, ahead(s->at, s->speed, time), 9);
    }
    for (const struct actor *a = g->actors; a; a = a->next) {
        if (a->kind->pickup || a->gone) continue;
        struct vec speed = a->speed;
        if (a->kind == &actor_kinds[ACTOR_LANTERN]) speed = (struct vec){-52 + a->spin * a->param * cos(a->angle), 0};
        sum += threat(at, ahead(a->at, speed, time), a->kind->radius + 9);
        for (int i = 0; a->body && i < SERPENT_SEGMENTS; i++) sum += threat(at, a->body[i], 14);
    }
    return sum;
}

/* What one would like to be near: embers, the height of the next target, and the middle of the left half. */
static double wish_at(const struct game *g, struct vec at)
{
    double wish = fabs(at.x - 84) * 0.12 + fabs(at.y - 78) * 0.06, best = 0, target = -1, nearest = 1e9;
    for (const struct actor *a = g->actors; a; a = a->next) {
        if (a->gone || a->at.x > VIEW_W) continue;
        double dx = a->at.x - at.x, dy = a->at.y - at.y, d = sqrt(dx * dx + dy * dy);
        if (a->kind->pickup) {
            double pull = (a->kind->points > 10 ? 60 : 26) * exp(-d / 42);
            if (pull > best) best = pull;
        } else if (dx > 20 && d < nearest) {
            nearest = d;
            target = a->at.y;
        }
    }
    if (target >= 0) wish += fabs(target - at.y) * 0.28;
    return wish - best;
}

static double value_of(const struct game *g, unsigned move)
{
    struct vec at = g->kite.at, speed = g->kite.speed;
    double keep = exp(-5.2 * TICK * STEP_TICKS), cost = 0, span = TICK * STEP_TICKS;
    for (int step = 1; step <= STEPS; step++) {
        double ax = ((move & BUTTON_RIGHT) != 0) - ((move & BUTTON_LEFT) != 0);
        double ay = ((move & BUTTON_DOWN) != 0) - ((move & BUTTON_UP) != 0);
        speed.x = speed.x * keep + ax * 880 * span * 0.9;
        speed.y = speed.y * keep + ay * 880 * span * 0.9;
        at = ahead(at, speed, span);
        at.x = at.x < 16 ? 16 : at.x > VIEW_W - 30 ? VIEW_W - 30 : at.x;
        at.y = at.y < 22 ? 22 : at.y > HORIZON - 9 ? HORIZON - 9 : at.y;
        cost += danger_at(g, at, step * span) * (1.2 - step * 0.06);
    }
    return cost + wish_at(g, at) * 2.0;
}

static bool target_ahead(const struct game *g)
{
    for (const struct actor *a = g->actors; a; a = a->next) {
        double dy = fabs(a->at.y - g->kite.at.y);
        if (!a->kind->pickup && !a->gone && a->at.x > g->kite.at.x && a->at.x < VIEW_W + 6 && dy < a->kind->radius + 26)
            return true;
    }
    return false;
}

/* Worth a gust: something is about to hit, or a swarm of shots is near. */
static bool wants_gust(const struct game *g)
{
    int near = 0;
    for (int i = 0; i < MAX_SHOTS; i++) {
        const struct shot *s = &g->shots[i];
        if (s->life && s->foe && fabs(s->at.x - g->kite.at.x) < 80 && fabs(s->at.y - g->kite.at.y) < 50) near++;
    }
    return near >= 5 || danger_at(g, g->kite.at, 0.12) > 40;
}

unsigned autopilot_buttons(const struct game *g)
{
    unsigned best = 0;
    double lowest = 1e300;
    for (int i = 0; i < 9; i++) {
        double cost = value_of(g, moves[i]);
        if (moves[i] == (g->buttons & 15)) cost -= 0.6; /* keep the hand still where it does not matter */
        if (cost < lowest) {
            lowest = cost;
            best = moves[i];
        }
    }
    if (target_ahead(g)) best |= BUTTON_A;
    if (g->kite.gust >= 1 && !(g->buttons & BUTTON_B) && wants_gust(g)) best |= BUTTON_B;
    return best;
}
