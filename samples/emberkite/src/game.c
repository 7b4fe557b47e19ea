/* One tick of the game, and the passage from scene to scene. */
#include "game.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DARK = 17 };

void game_say(struct game *g, const char *text)
{
    char line[96];
    if (!g->log) return;
    snprintf(line, sizeof line, "tick %d: %s", g->tick, text);
    g->log(line);
}

struct game *game_new(uint64_t seed, void (*log)(const char *text))
{
    struct game *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->shots = calloc(MAX_SHOTS, sizeof *g->shots);
    g->particles = calloc(MAX_PARTICLES, sizeof *g->particles);
    g->backdrop = backdrop_new(seed);
    g->sound = sound_new();
    g->log = log;
    if (!g->shots || !g->particles || !g->backdrop || !g->sound) {
        game_free(g);
        return NULL;
    }
    rng_seed(&g->rng, seed, 1);
    rng_seed(&g->dust, seed, 2);
    score_table_reset(g);
    kite_reset(&g->kite);
    g->fade = DARK;
    game_say(g, "scene title");
    scenes[SCENE_TITLE].enter(g);
    return g;
}

void game_free(struct game *g)
{
    if (!g) return;
    actors_clear(g);
    free(g->shots);
    free(g->particles);
    backdrop_free(g->backdrop);
    sound_free(g->sound);
    free(g);
}

void game_reset_world(struct game *g)
{
    struct kite before = g->kite;
    actors_clear(g);
    memset(g->shots, 0, MAX_SHOTS * sizeof *g->shots);
    memset(g->particles, 0, MAX_PARTICLES * sizeof *g->particles);
    kite_reset(&g->kite);
    g->kite.hearts = before.hearts > 0 ? before.hearts : 3;
    g->kite.power = before.power;
    g->chain = g->chain_left = 0;
    g->shake = 0;
}

void game_new_run(struct game *g)
{
    g->score = 0;
    g->embers = g->felled = 0;
    g->kite.hearts = 3;
    g->kite.power = 1;
    g->level.number = 0;
    game_to_scene(g, SCENE_LEVEL);
}

void game_start_demo(struct game *g)
{
    g->demo = true;
    game_new_run(g);
}

void game_to_scene(struct game *g, enum scene_id scene)
{
    if (g->leaving) return;
    g->leaving = true;
    g->next_scene = scene;
}

static void enter_next_scene(struct game *g)
{
    char line[48];
    g->leaving = false;
    g->scene = g->next_scene;
    g->scene_tick = 0;
    if (g->scene == SCENE_LEVEL) snprintf(line, sizeof line, "scene level-%d", g->level.number + 1);
    else snprintf(line, sizeof line, "scene %s", scenes[g->scene].name);
    game_say(g, line);
    scenes[g->scene].enter(g);
}

static void update_fade(struct game *g)
{
    if (!g->leaving) {
        if (g->fade > 0) g->fade--;
    } else if (g->fade < DARK) {
        g->fade++;
    } else {
        enter_next_scene(g);
    }
}

void game_update(struct game *g, unsigned buttons)
{
    if (g->demo) {
        if (buttons & ~g->buttons) { /* any key ends the demonstration */
            g->demo = false;
            g->buttons = buttons;
            game_to_scene(g, SCENE_TITLE);
        }
        buttons = g->scene == SCENE_LEVEL ? autopilot_buttons(g) : 0;
    }
    g->pressed = buttons & ~g->buttons;
    g->buttons = buttons;
    if (g->scene == SCENE_LEVEL && (g->pressed & BUTTON_START)) g->paused = !g->paused;
    if (g->paused) return;
    g->scene_tick++;
    if (g->chain_left > 0 && --g->chain_left == 0) g->chain = 0;
    g->shake *= 0.86;
    scenes[g->scene].update(g);
    particles_update(g);
    update_fade(g);
    g->tick++;
}
