/* The scenes: what they do on entering, each tick, and on the picture. */
#include <math.h>
#include <stdio.h>

#include "game.h"
#include "text.h"

static void fly_on(struct game *g, double speed)
{
    g->scroll += speed * TICK;
}

static uint32_t pulse(const struct game *g, uint32_t bright, uint32_t dim)
{
    return rgb_mix(dim, bright, (int)(128 + 127 * sin(g->scene_tick * 0.09)));
}

static void draw_table(struct canvas *c, const struct game *g, int y)
{
    char line[40];
    for (int i = 0; i < SCORES; i++) {
        const struct score_row *row = &g->table[i];
        snprintf(line, sizeof line, "%d  %-7s %7llu", i + 1, row->name, (unsigned long long)row->points);
        text_centred(c, y + i * 11, line, row->ours ? pulse(g, 0xffffff, 0xffa040) : rgb_mix(0xffe8a0, 0xd86888, i * 50));
    }
}

/* ---- title ----------------------------------------------------------------------------------------------------- */

static void title_enter(struct game *g)
{
    game_reset_world(g);
    g->mood = moods[MOOD_GOLD];
    g->demo = g->paused = false;
    g->level = (struct level_state){.number = 0};
    sound_song(g->sound, SONG_TITLE);
}

static void title_update(struct game *g)
{
    double t = g->scene_tick * TICK;
    fly_on(g, 60);
    kite_drift(g, (struct vec){160 + 96 * sin(t * 0.8), 92 + 15 * sin(t * 1.7)});
    if (g->scene_tick > 20 && (g->pressed & (BUTTON_START | BUTTON_A)) && !g->leaving) {
        sound_effect(g->sound, EFFECT_START, 0, 1);
        game_new_run(g);
    }
    if (g->scene_tick == 1200) game_start_demo(g);
}

static void title_draw(struct canvas *c, const struct game *g)
{
    uint32_t ramp[28];
    for (int i = 0; i < 28; i++) {
        int shine = (int)(60 * sin(i * 0.35 - g->scene_tick * 0.08));
        uint32_t base = i < 14 ? rgb_mix(0xfff6b0, 0xffa030, i * 18) : rgb_mix(0xffa030, 0xd02858, (i - 14) * 18);
        ramp[i] = shine > 0 ? rgb_mix(base, 0xffffff, shine) : base;
    }
    view_world(c, g);
    int drop = g->scene_tick < 50 ? (int)(60 * pow(1 - g->scene_tick / 50.0, 3)) : 0;
    text_logo(c, 22 - drop, "EMBER KITE", ramp);
    if (g->scene_tick / 360 % 2 == 1) {
        draw_table(c, g, 72);
    } else {
        text_centred(c, 56 - drop, "A FLIGHT IN TWO EVENINGS", 0xffe8c8);
        if (g->scene_tick > 40 && g->scene_tick / 24 % 3 != 2) text_centred(c, 119, "PRESS START", 0xffffff);
        text_centred(c, 131, "ARROWS FLY    Z SPARKS    X GUST", 0xffd0a0);
    }
}

/* ---- the levels ------------------------------------------------------------------------------------------------ */

static void level_enter(struct game *g)
{
    game_reset_world(g);
    level_start(g, g->level.number);
}

static void set_hour(struct game *g)
{
    const struct mood *from = &moods[g->level.number == 0 ? MOOD_GOLD : MOOD_NIGHT];
    const struct mood *to = &moods[g->level.number == 0 ? MOOD_DUSK : MOOD_AURORA];
    g->mood = mood_between(from, to, level_progress(g));
}

static void snowfall(struct game *g)
{
    if (rng_range(&g->dust, 0, 1) >= g->mood.snow * 0.5) return;
    struct vec at = {rng_range(&g->dust, 20, VIEW_W + 120), 0};
    particle_emit(g, at, (struct vec){rng_range(&g->dust, -150, -90), rng_range(&g->dust, 60, 110)}, LOOK_ICE, 110);
}

static void level_scene_update(struct game *g)
{
    fly_on(g, g->level.boss_met ? 150 : 96 + 12 * g->level.number);
    level_update(g);
    kite_update(g, g->buttons);
    actors_update(g);
    shots_update(g);
    set_hour(g);
    snowfall(g);
    if (g->level.done && !g->leaving && !g->kite.falling) game_to_scene(g, SCENE_CLEAR);
}

static void level_draw(struct canvas *c, const struct game *g)
{
    view_world(c, g);
    view_hud(c, g);
    if (g->level.message_left > 0) {
        int in = g->level.message_shown, slide = in < 12 ? (12 - in) * 14 : 0;
        int width = text_width(g->level.message);
        for (int y = 26; y < 43; y++)
            for (int x = 0; x < VIEW_W; x++) canvas_blend(c, x, y, 0x140a28, y == 26 || y == 42 ? 60 : 120);
        text_draw(c, (VIEW_W - width) / 2 + slide, 31, g->level.message, 0xffe8b0);
    }
    if (g->demo && g->tick / 30 % 2) text_centred(c, 150, "DEMONSTRATION", 0xffffff);
    if (g->paused) text_centred(c, 86, "PAUSED", 0xffffff);
}

/* ---- between the levels ---------------------------------------------------------------------------------------- */

static void clear_enter(struct game *g)
{
    actors_clear(g);
    score_add(g, 20 * g->embers + 200 * g->kite.hearts);
    sound_song(g->sound, SONG_WIN);
}

static void clear_update(struct game *g)
{
    double t = g->scene_tick * TICK;
    fly_on(g, 160);
    kite_drift(g, (struct vec){100 + 40 * sin(t * 1.3) + (t > 1.2 ? (t - 1.2) * 260 : 0), 112 + 8 * sin(t * 3)});
    if (g->scene_tick != 120) return;
    if (g->level.number == 1) {
        game_to_scene(g, SCENE_WIN);
    } else {
        g->level.number = 1;
        game_to_scene(g, SCENE_LEVEL);
    }
}

static void clear_draw(struct canvas *c, const struct game *g)
{
    char line[40];
    view_world(c, g);
    view_hud(c, g);
    text_centred(c, 48, g->level.number == 0 ? "THE LAKE IS CALM" : "THE PEAKS ARE CALM", 0xffe8a0);
    if (g->scene_tick > 20) {
        snprintf(line, sizeof line, "EMBERS %3d", g->embers);
        text_centred(c, 66, line, 0xffc070);
    }
    if (g->scene_tick > 36) {
        snprintf(line, sizeof line, "FELLED %3d", g->felled);
        text_centred(c, 78, line, 0xff9a70);
    }
    if (g->scene_tick > 52) {
        snprintf(line, sizeof line, "HEARTS %3d", g->kite.hearts);
        text_centred(c, 90, line, 0xff7088);
    }
}

/* ---- the two endings ------------------------------------------------------------------------------------------- */

static void end_enter(struct game *g, enum mood_id mood, enum song_id song)
{
    score_table_enter(g, g->demo ? "DEMO" : "YOU");
    game_reset_world(g);
    g->mood = moods[mood];
    sound_song(g->sound, song);
}

static void win_enter(struct game *g)
{
    end_enter(g, MOOD_DAWN, SONG_WIN);
}

static void lose_enter(struct game *g)
{
    end_enter(g, MOOD_ASH, SONG_LOSE);
}

static void end_update(struct game *g)
{
    if ((g->pressed & BUTTON_START) || g->scene_tick == 900) game_to_scene(g, SCENE_TITLE);
}

static void win_update(struct game *g)
{
    double t = g->scene_tick * TICK;
    fly_on(g, 70);
    kite_drift(g, (struct vec){160 + 110 * sin(t * 0.9), 92 + 26 * sin(t * 1.8)});
    if (g->scene_tick % 26 == 0) {
        struct vec at = {rng_range(&g->dust, 30, VIEW_W - 30), rng_range(&g->dust, 16, 90)};
        particle_burst(g, at, 44, 120, g->scene_tick / 26 % 2 ? LOOK_EMBER : LOOK_ICE);
    }
    end_update(g);
}

static void lose_update(struct game *g)
{
    fly_on(g, 14);
    g->kite.at = (struct vec){-60, 90};
    if (g->scene_tick % 3 == 0) {
        struct vec at = {rng_range(&g->dust, 0, VIEW_W), HORIZON - 2};
        particle_emit(g, at, (struct vec){rng_range(&g->dust, -10, 10), rng_range(&g->dust, -50, -15)}, LOOK_EMBER, 80);
    }
    end_update(g);
}

static void ending_draw(struct canvas *c, const struct game *g, const char *headline, const char *below, uint32_t colour)
{
    char line[40];
    view_world(c, g);
    for (int y = 14; y < 136; y++)
        for (int x = 84; x < VIEW_W - 84; x++) canvas_blend(c, x, y, 0x180c34, 150);
    text_centred(c, 24, headline, colour);
    text_centred(c, 38, below, rgb_mix(colour, 0xffffff, 100));
    snprintf(line, sizeof line, "SCORE %llu", (unsigned long long)g->score);
    text_centred(c, 56, line, 0xffffff);
    draw_table(c, g, 76);
}

static void win_draw(struct canvas *c, const struct game *g)
{
    ending_draw(c, g, "DAWN", "THE KITE CAME HOME", 0xfff0a0);
}

static void lose_draw(struct canvas *c, const struct game *g)
{
    ending_draw(c, g, "THE WIND FELL", "THE LAKE HAS IT NOW", 0xff9080);
}

const struct scene scenes[SCENE_COUNT] = {
    [SCENE_TITLE] = {"title", title_enter, title_update, title_draw},
    [SCENE_LEVEL] = {"level", level_enter, level_scene_update, level_draw},
    [SCENE_CLEAR] = {"clear", clear_enter, clear_update, clear_draw},
    [SCENE_WIN] = {"win", win_enter, win_update, win_draw},
    [SCENE_LOSE] = {"lose", lose_enter, lose_update, lose_draw},
};
