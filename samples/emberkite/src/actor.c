/* What every flying thing has in common; the differences are rows of `actor_kinds`. */
#include <math.h>
#include <stdlib.h>

#include "game.h"

const struct actor_kind actor_kinds[ACTOR_COUNT] = {
    [ACTOR_CROW] = {"crow", 1, 50, 3, 7, false, false, crow_spawn, crow_update, crow_draw, actor_burst},
    [ACTOR_WISP] = {"wisp", 2, 80, 4, 6, false, false, NULL, wisp_update, wisp_draw, actor_burst},
    [ACTOR_LANTERN] = {"lantern", 2, 60, 2, 9, false, false, lantern_spawn, lantern_update, lantern_draw, lantern_die},
    [ACTOR_PUFF] = {"storm puff", 6, 200, 1, 12, false, false, NULL, puff_update, puff_draw, actor_burst},
    [ACTOR_EMBER] = {"ember", 1, 10, 5, 11, true, false, NULL, ember_update, ember_draw, NULL},
    [ACTOR_HEART] = {"heart", 1, 100, 5, 12, true, false, NULL, ember_update, heart_draw, NULL},
    [ACTOR_OWL] = {"ink owl", 46, 2500, 0, 21, false, true, owl_spawn, owl_update, owl_draw, boss_die},
    [ACTOR_SERPENT] = {"storm serpent", 90, 6000, 0, 12, false, true, serpent_spawn, serpent_update, serpent_draw, boss_die},
};

struct actor *actor_add(struct game *g, enum actor_id id, double x, double y, double param)
{
    struct actor *a = calloc(1, sizeof *a);
    if (!a) return NULL; /* one foe fewer is better than no game */
    a->kind = &actor_kinds[id];
    a->at = a->home = (struct vec){x, y};
    a->param = param;
    a->health = a->kind->health;
    a->serial = g->next_serial++;
    a->next = g->actors;
    g->actors = a;
    if (a->kind->spawn) a->kind->spawn(g, a);
    return a;
}

static void actor_free(struct actor *a)
{
    free(a->body);
    free(a);
}

void actor_burst(struct game *g, struct actor *a)
{
    particle_burst(g, a->at, 22, 110, LOOK_EMBER);
    particle_burst(g, a->at, 10, 60, a->kind->layer == 3 ? LOOK_FEATHER : LOOK_SMOKE);
    actor_add(g, ACTOR_EMBER, a->at.x, a->at.y, 1);
    sound_effect(g->sound, EFFECT_BURST, a->at.x / VIEW_W - 0.5, 1.2 - a->kind->radius * 0.02);
}

void actor_damage(struct game *g, struct actor *a, int amount)
{
    if (a->gone || a->at.x > VIEW_W + 20) return;
    a->health -= amount;
    a->flash = 4;
    if (a->health > 0) {
        sound_effect(g->sound, EFFECT_HIT, a->at.x / VIEW_W - 0.5, a->kind->boss ? 0.7 : 1.1);
        score_add(g, 2);
        return;
    }
    a->gone = true;
    g->chain++;
    g->chain_left = 150;
    g->felled++;
    score_add(g, a->kind->points);
    if (a->kind->die) a->kind->die(g, a);
}

static void take(struct game *g, struct actor *a)
{
    struct kite *k = &g->kite;
    a->gone = true;
    g->chain_left = 150;
    score_add(g, a->kind->points);
    if (a->kind == &actor_kinds[ACTOR_HEART]) {
        if (k->hearts < MAX_HEARTS) k->hearts++;
        sound_effect(g->sound, EFFECT_START, 0, 1.5);
    } else {
        g->embers++;
        if (g->embers % 12 == 0 && k->power < 3) k->power++;
        k->gust += 0.05;
        if (k->gust > 1) k->gust = 1;
        sound_effect(g->sound, EFFECT_EMBER, a->at.x / VIEW_W - 0.5, pow(2.0, g->embers % 8 / 12.0));
    }
    particle_burst(g, a->at, 6, 46, LOOK_EMBER);
}

static void meet_kite(struct game *g, struct actor *a)
{
    const struct kite *k = &g->kite;
    if (k->falling || a->gone) return;
    double dx = a->at.x - k->at.x, dy = a->at.y - k->at.y, reach = a->kind->radius + (a->kind->pickup ? 8 : 4);
    if (dx * dx + dy * dy < reach * reach) {
        if (a->kind->pickup) take(g, a);
        else kite_hurt(g);
    }
    for (int i = 0; a->body && i < SERPENT_SEGMENTS; i++) {
        dx = a->body[i].x - k->at.x, dy = a->body[i].y - k->at.y;
        if (dx * dx + dy * dy < 10 * 10) kite_hurt(g);
    }
}

/* Unlink in place: `link` is always the pointer that points at the actor in question. */
static void sweep(struct game *g)
{
    for (struct actor **link = &g->actors; *link;) {
        struct actor *a = *link;
        if (!a->gone && a->at.x > -60 && a->at.y > -80 && a->at.y < VIEW_H + 40) {
            link = &a->next;
            continue;
        }
        *link = a->next;
        actor_free(a);
    }
}

void actors_update(struct game *g)
{
    for (struct actor *a = g->actors; a; a = a->next) {
        if (a->gone) continue;
        a->age++;
        if (a->flash) a->flash--;
        a->kind->update(g, a);
        meet_kite(g, a);
    }
    sweep(g);
}

/* Back to front: by layer, then from the top down, then in order of birth. */
static int by_depth(const void *left, const void *right)
{
    const struct actor *a = *(const struct actor *const *)left, *b = *(const struct actor *const *)right;
    if (a->kind->layer != b->kind->layer) return a->kind->layer - b->kind->layer;
    if (a->at.y != b->at.y) return a->at.y < b->at.y ? -1 : 1;
    return a->serial < b->serial ? -1 : a->serial > b->serial;
}

void actors_draw(struct canvas *c, const struct game *g)
{
    size_t count = 0;
    for (const struct actor *a = g->actors; a; a = a->next) count++;
    if (count == 0) return;
    const struct actor **order = malloc(count * sizeof(*order));
    if (!order) return;
    size_t i = 0;
    for (const struct actor *a = g->actors; a; a = a->next) order[i++] = a;
    qsort(order, count, sizeof(*order), by_depth);
    for (i = 0; i < count; i++) order[i]->kind->draw(c, g, order[i]);
    free(order);
}

void actors_clear(struct game *g)
{
    while (g->actors) {
        struct actor *next = g->actors->next;
        actor_free(g->actors);
        g->actors = next;
    }
}
