/* The game's own 5x7 letters, and the large logo made from them. */
#ifndef TEXT_H
#define TEXT_H

#include "canvas.h"

enum { GLYPH_W = 6, GLYPH_H = 7 };

int text_width(const char *text);
void text_draw(struct canvas *c, int x, int y, const char *text, uint32_t colour);
void text_centred(struct canvas *c, int y, const char *text, uint32_t colour);

/* Four times as large, smoothed, each row in its own colour from `ramp` (28 entries), centred on the picture. */
void text_logo(struct canvas *c, int y, const char *text, const uint32_t *ramp);

#endif
