#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "game.h"

/* A chain of hits without a long pause multiplies: x1 .. x8. */
void score_add(struct game *g, int points)
{
    int times = 1 + g->chain / 4;
    g->score += (uint64_t)points * (uint64_t)(times > 8 ? 8 : times);
    if (g->score > g->best) g->best = g->score;
}

void score_table_reset(struct game *g)
{
    static const struct score_row first[SCORES] = {
        {"AUNE", 18000, false}, {"SORREL", 12000, false}, {"MIKA", 9000, false}, {"TOBIN", 6000, false}, {"WREN", 3000, false}};
    memcpy(g->table, first, sizeof first);
    g->table[SCORES] = (struct score_row){"", 0, false};
    g->best = first[0].points;
}

static int by_points(const void *left, const void *right)
{
    const struct score_row *a = left, *b = right;
    if (a->points != b->points) return a->points < b->points ? 1 : -1;
    return b->ours - a->ours; /* who came last stands first among equals */
}

void score_table_enter(struct game *g, const char *name)
{
    for (int i = 0; i < SCORES; i++) g->table[i].ours = false;
    struct score_row *row = &g->table[SCORES];
    snprintf(row->name, sizeof row->name, "%s", name);
    row->points = g->score;
    row->ours = true;
    qsort(g->table, SCORES + 1, sizeof g->table[0], by_points);
}
