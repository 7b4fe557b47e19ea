/* The state of the game and what its parts offer each other. Nothing here knows a device. */
#ifndef GAME_H
#define GAME_H

#include <stdbool.h>
#include <stdint.h>

#include "backdrop.h"
#include "canvas.h"
#include "rng.h"
#include "sound.h"

#define TICK (1.0 / 60.0) /* seconds */
#define PI 3.14159265358979323846

enum button {
    BUTTON_LEFT = 1,
    BUTTON_RIGHT = 2,
    BUTTON_UP = 4,
    BUTTON_DOWN = 8,
    BUTTON_A = 16,
    BUTTON_B = 32,
    BUTTON_START = 64
};

enum { TAIL_NODES = 15, MAX_SHOTS = 160, MAX_PARTICLES = 700, MAX_HEARTS = 5, SCORES = 5, SERPENT_SEGMENTS = 18 };

struct vec {
    double x, y;
};

/* ---- particles ------------------------------------------------------------------------------------------------- */

enum particle_look { LOOK_EMBER, LOOK_SMOKE, LOOK_SPRAY, LOOK_ICE, LOOK_FEATHER, LOOK_COUNT };

struct particle {
    struct vec at, speed;
    double drag, weight;
    int life, lifetime;
    enum particle_look look;
};

/* ---- the kite -------------------------------------------------------------------------------------------------- */

struct kite {
    struct vec at, speed;
    struct vec tail[TAIL_NODES], tail_before[TAIL_NODES];
    double bank;   /* radians */
    double gust;   /* 0..1, full = ready */
    int hearts, power;
    int reload, shield; /* ticks left */
    double ring;        /* radius of a running gust, 0 = none */
    bool falling;
};

/* ---- everything else that flies -------------------------------------------------------------------------------- */

struct game;
struct actor;

enum actor_id { ACTOR_CROW, ACTOR_WISP, ACTOR_LANTERN, ACTOR_PUFF, ACTOR_EMBER, ACTOR_HEART, ACTOR_OWL, ACTOR_SERPENT, ACTOR_COUNT };

struct actor_kind {
    const char *name;
    int health, points, layer;
    double radius;
    bool pickup, boss;
    void (*spawn)(struct game *g, struct actor *a);
    void (*update)(struct game *g, struct actor *a);
    void (*draw)(struct canvas *c, const struct game *g, const struct actor *a);
    void (*die)(struct game *g, struct actor *a);
};

struct actor {
    struct actor *next;
    const struct actor_kind *kind;
    struct vec at, speed, home;
    double angle, spin, param;
    int age, health, flash, timer, phase;
    unsigned serial;
    bool gone;
    struct vec *body; /* the serpent's segments, owned */
};

struct shot {
    struct vec at, speed;
    int life; /* 0 = free */
    bool foe;
    uint32_t colour;
};

/* ---- scores ---------------------------------------------------------------------------------------------------- */

struct score_row {
    char name[8];
    uint64_t points;
    bool ours;
};

/* ---- the game -------------------------------------------------------------------------------------------------- */

enum scene_id { SCENE_TITLE, SCENE_LEVEL, SCENE_CLEAR, SCENE_WIN, SCENE_LOSE, SCENE_COUNT };

struct level_state {
    int number;     /* 0, 1 */
    int at;         /* next word of the script */
    int wait;       /* ticks */
    int loop_at, loop_left;
    int length;     /* ticks of waves, for the progress bar and the hour of the day */
    int ticks;
    int accumulator;
    bool boss_alive, boss_met, done;
    const char *message;
    int message_left, message_shown; /* ticks */
};

struct game {
    enum scene_id scene, next_scene;
    int tick, scene_tick, fade; /* fade: 17 = dark .. 0 = clear */
    bool leaving, paused, demo;
    unsigned buttons, pressed;
    struct rng rng, dust; /* dust: what only decorates */
    double scroll, shake;
    struct kite kite;
    struct actor *actors;
    unsigned next_serial;
    struct shot *shots;
    struct particle *particles;
    int particle_next;
    uint64_t score, best;
    int chain, chain_left, embers, felled;
    struct level_state level;
    struct score_row table[SCORES + 1];
    struct backdrop *backdrop;
    struct mood mood;
    struct sound *sound;
    void (*log)(const char *text);
};

/* game.c: `log` may be NULL. NULL is returned when memory runs out. */
struct game *game_new(uint64_t seed, void (*log)(const char *text));
void game_free(struct game *g);
void game_update(struct game *g, unsigned buttons);
void game_say(struct game *g, const char *text);
void game_to_scene(struct game *g, enum scene_id scene);
void game_start_demo(struct game *g);
void game_reset_world(struct game *g);
void game_new_run(struct game *g);

/* scene.c: one row a scene */
struct scene {
    const char *name;
    void (*enter)(struct game *g);
    void (*update)(struct game *g);
    void (*draw)(struct canvas *c, const struct game *g);
};
extern const struct scene scenes[SCENE_COUNT];

/* view.c */
void game_draw(struct canvas *c, const struct game *g);
void view_world(struct canvas *c, const struct game *g);
void view_hud(struct canvas *c, const struct game *g);

/* kite.c */
void kite_reset(struct kite *k);
void kite_update(struct game *g, unsigned buttons);
void kite_drift(struct game *g, struct vec wanted); /* flown by nobody: title and end screens */
void kite_hurt(struct game *g);
void kite_draw(struct canvas *c, const struct game *g);

/* shot.c */
void shot_fire(struct game *g, struct vec at, double angle, double speed, bool foe, uint32_t colour);
void shots_update(struct game *g);
void shots_draw(struct canvas *c, const struct game *g);
void shots_scatter(struct game *g, struct vec centre, double radius);

/* actor.c */
extern const struct actor_kind actor_kinds[ACTOR_COUNT];
struct actor *actor_add(struct game *g, enum actor_id id, double x, double y, double param);
void actor_damage(struct game *g, struct actor *a, int amount);
void actors_update(struct game *g);
void actors_draw(struct canvas *c, const struct game *g);
void actors_clear(struct game *g);
void actor_burst(struct game *g, struct actor *a);

/* foe.c, boss.c: the functions of the table in actor.c */
void crow_spawn(struct game *g, struct actor *a);
void crow_update(struct game *g, struct actor *a);
void crow_draw(struct canvas *c, const struct game *g, const struct actor *a);
void wisp_update(struct game *g, struct actor *a);
void wisp_draw(struct canvas *c, const struct game *g, const struct actor *a);
void lantern_spawn(struct game *g, struct actor *a);
void lantern_update(struct game *g, struct actor *a);
void lantern_draw(struct canvas *c, const struct game *g, const struct actor *a);
void lantern_die(struct game *g, struct actor *a);
void puff_update(struct game *g, struct actor *a);
void puff_draw(struct canvas *c, const struct game *g, const struct actor *a);
void ember_update(struct game *g, struct actor *a);
void ember_draw(struct canvas *c, const struct game *g, const struct actor *a);
void heart_draw(struct canvas *c, const struct game *g, const struct actor *a);
void owl_spawn(struct game *g, struct actor *a);
void owl_update(struct game *g, struct actor *a);
void owl_draw(struct canvas *c, const struct game *g, const struct actor *a);
void serpent_spawn(struct game *g, struct actor *a);
void serpent_update(struct game *g, struct actor *a);
void serpent_draw(struct canvas *c, const struct game *g, const struct actor *a);
void boss_die(struct game *g, struct actor *a);

/* particle.c */
void particle_emit(struct game *g, struct vec at, struct vec speed, enum particle_look look, int lifetime);
void particle_burst(struct game *g, struct vec at, int count, double speed, enum particle_look look);
void particles_update(struct game *g);
void particles_draw(struct canvas *c, const struct game *g);

/* level.c */
void level_start(struct game *g, int number);
void level_update(struct game *g);
double level_progress(const struct game *g); /* 0..1 */

/* score.c */
void score_add(struct game *g, int points);
void score_table_reset(struct game *g);
void score_table_enter(struct game *g, const char *name);

/* autopilot.c: what a decent player would press now */
unsigned autopilot_buttons(const struct game *g);

#endif
