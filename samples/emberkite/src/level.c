/* The levels, as programs of a small machine: one accumulator (a height), one loop, time to wait. */
#include "game.h"

enum op {
    OP_END,
    OP_WAIT,   /* ticks */
    OP_HEIGHT, /* accumulator = value */
    OP_RAISE,  /* accumulator -= value */
    OP_LOWER,  /* accumulator += value */
    OP_SPAWN,  /* actor, param: at the right edge, at the accumulator's height */
    OP_RANDOM, /* low, high: accumulator = a height between them */
    OP_LOOP,   /* times */
    OP_NEXT,
    OP_ARC,    /* count, bend: a row of embers, bent like a bridge */
    OP_SAY,    /* message */
    OP_CALM,   /* wait until no foe is in sight */
    OP_BOSS,   /* actor */
    OP_GONE    /* wait until the guardian is defeated */
};

static const char *const messages[] = {"LEVEL ONE  -  EMBER LAKE", "LEVEL TWO  -  AURORA PEAKS", "HOLD ON TO THE WIND"};

static const int16_t lake[] = {
    OP_SAY, 0, OP_WAIT, 50,
    OP_HEIGHT, 78, OP_ARC, 9, 26, OP_WAIT, 46,
    OP_HEIGHT, 46, OP_LOOP, 4, OP_SPAWN, ACTOR_CROW, 14, OP_LOWER, 4, OP_WAIT, 15, OP_NEXT,
    OP_WAIT, 20,
    OP_HEIGHT, 104, OP_ARC, 9, -30, OP_LOOP, 4, OP_SPAWN, ACTOR_CROW, 12, OP_RAISE, 5, OP_WAIT, 14, OP_NEXT,
    OP_WAIT, 24,
    OP_SPAWN, ACTOR_LANTERN, 62, OP_WAIT, 26, OP_SPAWN, ACTOR_LANTERN, 88, OP_WAIT, 26, OP_SPAWN, ACTOR_LANTERN, 70,
    OP_HEIGHT, 96, OP_ARC, 10, 34, OP_WAIT, 40,
    OP_HEIGHT, 60, OP_SPAWN, ACTOR_WISP, 0, OP_LOWER, 36, OP_WAIT, 18, OP_SPAWN, ACTOR_WISP, 0, OP_WAIT, 40,
    OP_HEIGHT, 58, OP_SPAWN, ACTOR_PUFF, 0, OP_WAIT, 70,
    OP_HEIGHT, 110, OP_ARC, 7, 12,
    OP_LOOP, 5, OP_RANDOM, 36, 112, OP_SPAWN, ACTOR_CROW, 20, OP_WAIT, 14, OP_NEXT,
    OP_HEIGHT, 84, OP_SPAWN, ACTOR_HEART, 0, OP_WAIT, 30,
    OP_CALM, OP_WAIT, 10,
    OP_HEIGHT, 60, OP_BOSS, ACTOR_OWL, OP_GONE, OP_WAIT, 100, OP_END,
};

static const int16_t peaks[] = {
    OP_SAY, 1, OP_WAIT, 50,
    OP_HEIGHT, 60, OP_ARC, 8, 30, OP_WAIT, 30,
    OP_HEIGHT, 54, OP_SPAWN, ACTOR_WISP, 0, OP_LOWER, 26, OP_WAIT, 16, OP_SPAWN, ACTOR_WISP, 0, OP_LOWER, 26,
    OP_WAIT, 16, OP_SPAWN, ACTOR_WISP, 0, OP_WAIT, 40,
    OP_HEIGHT, 40, OP_LOOP, 6, OP_SPAWN, ACTOR_CROW, 24, OP_LOWER, 12, OP_WAIT, 13, OP_NEXT,
    OP_HEIGHT, 50, OP_SPAWN, ACTOR_PUFF, 0, OP_WAIT, 24, OP_HEIGHT, 108, OP_SPAWN, ACTOR_PUFF, 0, OP_WAIT, 60,
    OP_HEIGHT, 80, OP_ARC, 10, -30, OP_WAIT, 30, OP_SAY, 2,
    OP_LOOP, 4, OP_SPAWN, ACTOR_LANTERN, 84, OP_RANDOM, 40, 112, OP_SPAWN, ACTOR_WISP, 0, OP_WAIT, 36, OP_NEXT,
    OP_LOOP, 8, OP_RANDOM, 34, 116, OP_SPAWN, ACTOR_CROW, 26, OP_WAIT, 12, OP_NEXT,
    OP_HEIGHT, 96, OP_ARC, 9, 30, OP_HEIGHT, 70, OP_SPAWN, ACTOR_HEART, 0, OP_WAIT, 40,
    OP_HEIGHT, 44, OP_SPAWN, ACTOR_PUFF, 0, OP_HEIGHT, 84, OP_SPAWN, ACTOR_PUFF, 0, OP_WAIT, 30,
    OP_LOOP, 6, OP_RANDOM, 40, 110, OP_SPAWN, ACTOR_WISP, 0, OP_WAIT, 30, OP_NEXT,
    OP_HEIGHT, 90, OP_SPAWN, ACTOR_HEART, 0, OP_WAIT, 60,
    OP_CALM, OP_WAIT, 10,
    OP_HEIGHT, 70, OP_BOSS, ACTOR_SERPENT, OP_GONE, OP_WAIT, 110, OP_END,
};

static const int16_t *const scripts[] = {lake, peaks};
static const int wave_ticks[] = {780, 1080}; /* about how long it takes to the guardian */

void level_start(struct game *g, int number)
{
    g->level = (struct level_state){.number = number, .length = wave_ticks[number]};
    sound_song(g->sound, number == 0 ? SONG_LAKE : SONG_PEAKS);
}

double level_progress(const struct game *g)
{
    if (g->level.boss_met) return 1;
    double part = g->level.ticks / (double)g->level.length;
    return part > 1 ? 1 : part;
}

static void ember_arc(struct game *g, int count, int bend)
{
    for (int i = 0; i < count; i++) {
        double u = 2.0 * i / (count - 1) - 1.0; /* -1 .. 1 */
        actor_add(g, ACTOR_EMBER, VIEW_W + 8 + i * 13, g->level.accumulator - bend * (1 - u * u), 0);
    }
}

static bool foes_in_sight(const struct game *g)
{
    for (const struct actor *a = g->actors; a; a = a->next)
        if (!a->kind->pickup && !a->gone) return true;
    return false;
}

/* Runs instructions until one of them takes time. */
static void run(struct game *g)
{
    struct level_state *l = &g->level;
    const int16_t *script = scripts[l->number];
    for (;;) {
        const int16_t *word = &script[l->at];
        switch ((enum op)word[0]) {
        case OP_END:
            l->done = true;
            return;
        case OP_WAIT:
            l->wait = word[1];
            l->at += 2;
            return;
        case OP_HEIGHT:
            l->accumulator = word[1];
            l->at += 2;
            break;
        case OP_RAISE:
            l->accumulator -= word[1];
            l->at += 2;
            break;
        case OP_LOWER:
            l->accumulator += word[1];
            l->at += 2;
            break;
        case OP_SPAWN:
            actor_add(g, (enum actor_id)word[1], VIEW_W + 14, l->accumulator, word[2]);
            l->at += 3;
            break;
        case OP_RANDOM:
            l->accumulator = word[1] + (int)rng_below(&g->rng, (uint32_t)(word[2] - word[1]));
            l->at += 3;
            break;
        case OP_LOOP:
            l->loop_left = word[1];
            l->at += 2;
            l->loop_at = l->at;
            break;
        case OP_NEXT:
            l->at = --l->loop_left > 0 ? l->loop_at : l->at + 1;
            break;
        case OP_ARC:
            ember_arc(g, word[1], word[2]);
            l->at += 3;
            break;
        case OP_SAY:
            l->message = messages[word[1]];
            l->message_left = 120;
            l->message_shown = 0;
            l->at += 2;
            break;
        case OP_CALM:
            if (foes_in_sight(g)) return;
            l->at += 1;
            break;
        case OP_BOSS:
            actor_add(g, (enum actor_id)word[1], VIEW_W + 40, l->accumulator, 0);
            game_say(g, word[1] == ACTOR_OWL ? "guardian: the ink owl" : "guardian: the storm serpent");
            l->at += 2;
            break;
        case OP_GONE:
            if (l->boss_alive) return;
            l->at += 1;
            break;
        }
    }
}

void level_update(struct game *g)
{
    struct level_state *l = &g->level;
    l->ticks++;
    if (l->message_left) l->message_left--, l->message_shown++;
    if (l->wait > 0) l->wait--;
    else if (!l->done) run(g);
}
