#include "text.h"

#include <stdlib.h>
#include <string.h>

/* Seven rows of five bits, the most significant bit on the left; index = character - ' '. */
static const uint8_t glyphs[][GLYPH_H] = {
    [' ' - ' '] = {0, 0, 0, 0, 0, 0, 0},
    ['!' - ' '] = {0x04, 0x04, 0x04, 0x04, 0x04, 0x00, 0x04},
    ['%' - ' '] = {0x19, 0x19, 0x02, 0x04, 0x08, 0x13, 0x13},
    ['\'' - ' '] = {0x04, 0x04, 0x08, 0x00, 0x00, 0x00, 0x00},
    ['*' - ' '] = {0x00, 0x04, 0x15, 0x0e, 0x15, 0x04, 0x00},
    ['+' - ' '] = {0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00},
    [',' - ' '] = {0x00, 0x00, 0x00, 0x00, 0x04, 0x04, 0x08},
    ['-' - ' '] = {0x00, 0x00, 0x00, 0x0e, 0x00, 0x00, 0x00},
    ['.' - ' '] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c},
    ['/' - ' '] = {0x01, 0x01, 0x02, 0x04, 0x08, 0x10, 0x10},
    ['0' - ' '] = {0x0e, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x0e},
    ['1' - ' '] = {0x06, 0x0e, 0x06, 0x06, 0x06, 0x06, 0x0f},
    ['2' - ' '] = {0x0e, 0x1b, 0x03, 0x06, 0x0c, 0x18, 0x1f},
    ['3' - ' '] = {0x1e, 0x03, 0x03, 0x0e, 0x03, 0x03, 0x1e},
    ['4' - ' '] = {0x03, 0x07, 0x0b, 0x13, 0x1f, 0x03, 0x03},
    ['5' - ' '] = {0x1f, 0x18, 0x1e, 0x03, 0x03, 0x1b, 0x0e},
    ['6' - ' '] = {0x0e, 0x18, 0x18, 0x1e, 0x1b, 0x1b, 0x0e},
    ['7' - ' '] = {0x1f, 0x03, 0x03, 0x06, 0x06, 0x0c, 0x0c},
    ['8' - ' '] = {0x0e, 0x1b, 0x1b, 0x0e, 0x1b, 0x1b, 0x0e},
    ['9' - ' '] = {0x0e, 0x1b, 0x1b, 0x0f, 0x03, 0x03, 0x0e},
    [':' - ' '] = {0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x0c, 0x00},
    ['=' - ' '] = {0x00, 0x00, 0x1f, 0x00, 0x1f, 0x00, 0x00},
    ['?' - ' '] = {0x0e, 0x13, 0x03, 0x06, 0x04, 0x00, 0x04},
    ['A' - ' '] = {0x0e, 0x1b, 0x1b, 0x1f, 0x1b, 0x1b, 0x1b},
    ['B' - ' '] = {0x1e, 0x1b, 0x1b, 0x1e, 0x1b, 0x1b, 0x1e},
    ['C' - ' '] = {0x0f, 0x18, 0x18, 0x18, 0x18, 0x18, 0x0f},
    ['D' - ' '] = {0x1e, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1e},
    ['E' - ' '] = {0x1f, 0x18, 0x18, 0x1e, 0x18, 0x18, 0x1f},
    ['F' - ' '] = {0x1f, 0x18, 0x18, 0x1e, 0x18, 0x18, 0x18},
    ['G' - ' '] = {0x0f, 0x18, 0x18, 0x1b, 0x1b, 0x1b, 0x0f},
    ['H' - ' '] = {0x1b, 0x1b, 0x1b, 0x1f, 0x1b, 0x1b, 0x1b},
    ['I' - ' '] = {0x0f, 0x06, 0x06, 0x06, 0x06, 0x06, 0x0f},
    ['J' - ' '] = {0x07, 0x03, 0x03, 0x03, 0x03, 0x1b, 0x0e},
    ['K' - ' '] = {0x1b, 0x1b, 0x1e, 0x1c, 0x1e, 0x1b, 0x1b},
    ['L' - ' '] = {0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x1f},
    ['M' - ' '] = {0x11, 0x1b, 0x1f, 0x1f, 0x15, 0x11, 0x11},
    ['N' - ' '] = {0x13, 0x1b, 0x1b, 0x1f, 0x17, 0x17, 0x13},
    ['O' - ' '] = {0x0e, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x0e},
    ['P' - ' '] = {0x1e, 0x1b, 0x1b, 0x1e, 0x18, 0x18, 0x18},
    ['Q' - ' '] = {0x0e, 0x1b, 0x1b, 0x1b, 0x1b, 0x0e, 0x03},
    ['R' - ' '] = {0x1e, 0x1b, 0x1b, 0x1e, 0x1e, 0x1b, 0x1b},
    ['S' - ' '] = {0x0f, 0x18, 0x18, 0x0e, 0x03, 0x03, 0x1e},
    ['T' - ' '] = {0x1f, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06},
    ['U' - ' '] = {0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x0e},
    ['V' - ' '] = {0x1b, 0x1b, 0x1b, 0x1b, 0x1b, 0x0e, 0x04},
    ['W' - ' '] = {0x11, 0x11, 0x15, 0x1f, 0x1f, 0x1b, 0x11},
    ['X' - ' '] = {0x1b, 0x1b, 0x0e, 0x04, 0x0e, 0x1b, 0x1b},
    ['Y' - ' '] = {0x1b, 0x1b, 0x1b, 0x0e, 0x06, 0x06, 0x06},
    ['Z' - ' '] = {0x1f, 0x03, 0x06, 0x0c, 0x18, 0x18, 0x1f},
};

/* Lower case is drawn as capitals; a character without a picture is a gap. */
static const uint8_t *glyph_of(char ch)
{
    if (ch >= 'a' && ch <= 'z') ch = (char)(ch - 'a' + 'A');
    size_t index = (size_t)(unsigned char)ch - ' ';
    return glyphs[index < sizeof glyphs / sizeof *glyphs ? index : 0];
}

int text_width(const char *text)
{
    return (int)strlen(text) * GLYPH_W - 1;
}

static void draw_plain(struct canvas *c, int x, int y, const char *text, uint32_t colour)
{
    for (; *text; text++, x += GLYPH_W) {
        const uint8_t *rows = glyph_of(*text);
        for (int row = 0; row < GLYPH_H; row++)
            for (int col = 0; col < 5; col++)
                if (rows[row] >> (4 - col) & 1) canvas_set(c, x + col, y + row, colour);
    }
}

void text_draw(struct canvas *c, int x, int y, const char *text, uint32_t colour)
{
    draw_plain(c, x + 1, y + 1, text, 0x0a0818);
    draw_plain(c, x, y, text, colour);
}

void text_centred(struct canvas *c, int y, const char *text, uint32_t colour)
{
    text_draw(c, (VIEW_W - text_width(text)) / 2, y, text, colour);
}

/* A one-byte-a-pixel mask with an empty border of one pixel. */
struct mask {
    int w, h;
    uint8_t *cells;
};

static struct mask mask_new(int w, int h)
{
    struct mask m = {w, h, calloc((size_t)(w + 2) * (size_t)(h + 2), 1)};
    if (!m.cells) abort();
    return m;
}

static uint8_t *mask_at(const struct mask *m, int x, int y)
{
    return &m->cells[(y + 1) * (m->w + 2) + x + 1];
}

/* Doubles a mask `times` times. A corner of a doubled pixel takes the colour of its two neighbours on that side where
 * those agree and the two opposite ones do not: diagonals stay diagonal instead of turning into stairs. */
static struct mask mask_grow(struct mask m, int times)
{
    if (times == 0) return m;
    struct mask big = mask_new(m.w * 2, m.h * 2);
    for (int y = 0; y < m.h; y++)
        for (int x = 0; x < m.w; x++) {
            uint8_t here = *mask_at(&m, x, y);
            uint8_t up = *mask_at(&m, x, y - 1), down = *mask_at(&m, x, y + 1);
            uint8_t left = *mask_at(&m, x - 1, y), right = *mask_at(&m, x + 1, y);
            int split = up != down && left != right;
            *mask_at(&big, 2 * x, 2 * y) = split && up == left ? left : here;
            *mask_at(&big, 2 * x + 1, 2 * y) = split && up == right ? right : here;
            *mask_at(&big, 2 * x, 2 * y + 1) = split && down == left ? left : here;
            *mask_at(&big, 2 * x + 1, 2 * y + 1) = split && down == right ? right : here;
        }
    free(m.cells);
    return mask_grow(big, times - 1);
}

void text_logo(struct canvas *c, int y, const char *text, const uint32_t *ramp)
{
    int length = (int)strlen(text);
    struct mask m = mask_new(length * GLYPH_W, GLYPH_H);
    for (int i = 0; i < length; i++)
        for (int row = 0; row < GLYPH_H; row++)
            for (int col = 0; col < 5; col++)
                *mask_at(&m, i * GLYPH_W + col, row) = glyph_of(text[i])[row] >> (4 - col) & 1;
    m = mask_grow(m, 2);
    int left = (VIEW_W - m.w + 4) / 2;
    for (int pass = 0; pass < 2; pass++)
        for (int row = 0; row < m.h; row++)
            for (int col = 0; col < m.w; col++) {
                if (!*mask_at(&m, col, row)) continue;
                if (pass == 0) {
                    canvas_rect(c, left + col - 1, y + row - 1, 4, 5, 0x1a0a24);
                    continue;
                }
                int lit = !*mask_at(&m, col, row - 1) || !*mask_at(&m, col - 1, row);
                canvas_set(c, left + col, y + row, lit ? rgb_mix(ramp[row], 0xffffff, 120) : ramp[row]);
            }
    free(m.cells);
}
