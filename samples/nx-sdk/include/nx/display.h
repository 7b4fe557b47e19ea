/* A software framebuffer on the default display. The program draws into plain rows of pixels; what is shown is the
 * block-linear copy that nx_display_present makes. */
#ifndef NX_DISPLAY_H
#define NX_DISPLAY_H

#include "types.h"

enum nx_format { NX_RGBA8888 = 1, NX_RGB565 = 4 };

struct nx_surface {
    void *pixels; /* row 0 is the top */
    uint32_t width, height, pitch /* bytes */;
};

/* After nx_applet_open. Widths are multiples of 64 bytes. */
nx_result nx_display_open(uint32_t width, uint32_t height, enum nx_format format);
void nx_display_close(void);

/* The same memory each time; it keeps what was drawn. */
struct nx_surface nx_display_surface(void);

/* Shows the surface from the next vertical blank on; waits only where no buffer is free. */
nx_result nx_display_present(void);

/* Returns after the next vertical blank. */
nx_result nx_display_wait(void);

/* Byte `x_bytes` of row `y` in a block-linear image: GOBs of 64 bytes by 8 rows, 16 of them to a block. */
size_t nx_block_linear(size_t x_bytes, size_t y, size_t pitch);

#endif
