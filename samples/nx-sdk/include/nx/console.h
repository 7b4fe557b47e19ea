/* A text screen: 80 columns, 45 rows, 16 colours, on the display. What is printed also goes to the debug channel.
 *
 * Understood: newline, return, tab, backspace; ESC [ row ; column H, ESC [ 2 J, ESC [ K, ESC [ n A/B/C/D and
 * ESC [ ... m with 0, 1, 7, 30-37, 39, 40-47, 49. */
#ifndef NX_CONSOLE_H
#define NX_CONSOLE_H

#include "types.h"

enum { NX_CONSOLE_COLUMNS = 80, NX_CONSOLE_ROWS = 45 };

/* Opens the display, and printf writes here too. After nx_applet_open. */
nx_result nx_console_open(void);
void nx_console_close(void);

void nx_console_write(const char *text, size_t size);

/* Draws what changed, shows it, and returns after the next vertical blank. */
nx_result nx_console_update(void);

/* Eight rows of five bits, the most significant on the left. */
const uint8_t *nx_console_glyph(char c);

#endif
