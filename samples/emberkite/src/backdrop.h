/* Sky, mountains, forest and lake: everything behind and below the play. */
#ifndef BACKDROP_H
#define BACKDROP_H

#include "canvas.h"
#include "mood.h"

enum { HORIZON = 140 }; /* first row of the lake */

struct backdrop;

struct backdrop *backdrop_new(uint64_t seed);
void backdrop_free(struct backdrop *b);

/* Sky to forest. `scroll` is how far the kite has flown in pixels, `time` in seconds. */
void backdrop_draw(struct canvas *c, const struct backdrop *b, const struct mood *m, double scroll, double time);

/* The lake mirrors what has been drawn above the horizon; then the near shore in front of everything. */
void backdrop_water(struct canvas *c, const struct backdrop *b, const struct mood *m, double scroll, double time);

#endif
