/* The picture of a moment: world, display, and what lies over both. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "game.h"
#include "text.h"

/* Streaks of air, so that flying is seen also where the sky is empty. */
static void draw_wind(struct canvas *c, const struct game *g)
{
    for (int i = 0; i < 9; i++) {
        double speed = 2.2 + i % 4 * 0.7;
        int y = 14 + i * 53 % (HORIZON - 24), x = VIEW_W + 30 - (int)(g->scroll * speed + i * 97.0) % (VIEW_W + 90);
        for (int k = 0; k < 14 + i % 3 * 6; k++) canvas_blend(c, x + k, y, 0xffffff, 34 - k);
    }
}

/* The kite's fire on the water below it: weaker, the higher it flies. */
static void draw_kite_light(struct canvas *c, const struct game *g)
{
    double height = HORIZON - g->kite.at.y, strength = 130 - height * 0.75;
    if (strength <= 0) return;
    for (int y = HORIZON; y < HORIZON + 18; y += 2) {
        int half = (int)(12 + 6 * sin(y * 1.3 + g->tick * 0.17));
        int level = (int)(strength * (1 - (y - HORIZON) / 18.0));
        for (int x = -half; x < half; x++) canvas_add(c, (int)g->kite.at.x + x, y, 0xff8030, level);
    }
}

void view_world(struct canvas *c, const struct game *g)
{
    double time = g->tick * TICK;
    backdrop_draw(c, g->backdrop, &g->mood, g->scroll, time);
    draw_wind(c, g);
    actors_draw(c, g);
    kite_draw(c, g);
    shots_draw(c, g);
    particles_draw(c, g);
    backdrop_water(c, g->backdrop, &g->mood, g->scroll, time);
    draw_kite_light(c, g);
}

static void draw_hearts(struct canvas *c, const struct game *g)
{
    static const struct sprite heart = {7, 6,
                                        ".aa.aa."
                                        "abbabba"
                                        "abbbbba"
                                        ".abbba."
                                        "..aba.."
                                        "...a..."};
    static const uint32_t full[2] = {0x7c1038, 0xff4a6c}, empty[2] = {0x241634, 0x3a2a50};
    for (int i = 0; i < MAX_HEARTS; i++)
        if (i < 3 || i < g->kite.hearts) canvas_sprite(c, &heart, 6 + i * 9, 6, i < g->kite.hearts ? full : empty);
}

static void draw_gauge(struct canvas *c, int x, int y, int w, double part, uint32_t colour)
{
    canvas_rect(c, x - 1, y - 1, w + 2, 5, 0x0a0818);
    canvas_rect(c, x, y, w, 3, 0x2c2448);
    canvas_rect(c, x, y, (int)(w * part), 3, colour);
    canvas_rect(c, x, y, (int)(w * part), 1, rgb_mix(colour, 0xffffff, 120));
}

void view_hud(struct canvas *c, const struct game *g)
{
    char line[32];
    draw_hearts(c, g);
    draw_gauge(c, 7, 15, 44, g->kite.gust, g->kite.gust >= 1 && g->tick / 8 % 2 ? 0xe0fcff : 0x58c8f0);
    int length = snprintf(line, sizeof line, "%07llu", (unsigned long long)g->score);
    text_draw(c, VIEW_W - 6 - length * GLYPH_W, 6, line, 0xfff4d0);
    if (g->chain >= 4) {
        int times = 1 + g->chain / 4;
        length = snprintf(line, sizeof line, "X%d", times > 8 ? 8 : times);
        text_draw(c, VIEW_W - 6 - length * GLYPH_W, 16, line, 0xffb048);
    }
    const struct actor *boss = NULL;
    for (const struct actor *a = g->actors; a; a = a->next)
        if (a->kind->boss) boss = a;
    if (boss) {
        draw_gauge(c, 110, 8, 100, boss->health > 0 ? boss->health / (double)boss->kind->health : 0, 0xe03878);
        return;
    }
    int done = (int)(100 * level_progress(g));
    for (int i = 0; i <= 100; i += 2) canvas_blend(c, 110 + i, 9, i <= done ? 0xffd070 : 0x0a0818, i <= done ? 256 : 150);
    canvas_rect(c, 109 + done, 7, 3, 5, 0xffffff);
}

/* Moves the whole picture by a few pixels; rows and columns that come in repeat the edge. */
static void shift(struct canvas *c, int dx, int dy)
{
    for (int i = 0; i < VIEW_H; i++) {
        int y = dy > 0 ? VIEW_H - 1 - i : i, from = y - dy;
        if (from < 0) from = 0;
        if (from >= VIEW_H) from = VIEW_H - 1;
        uint32_t row[VIEW_W];
        memcpy(row, c->px[from], sizeof row);
        for (int x = 0; x < VIEW_W; x++) {
            int column = x - dx;
            c->px[y][x] = row[column < 0 ? 0 : column >= VIEW_W ? VIEW_W - 1 : column];
        }
    }
}

void game_draw(struct canvas *c, const struct game *g)
{
    scenes[g->scene].draw(c, g);
    if (g->shake > 0.5 && !g->paused)
        shift(c, (int)(g->shake * 0.5 * sin(g->tick * 2.1)), (int)(g->shake * 0.5 * cos(g->tick * 1.7)));
    if (g->fade > 0) canvas_dissolve(c, g->fade, 0x0a0614);
}
