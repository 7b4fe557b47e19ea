/* All that the game asks of the machine. Two files implement it; a program is linked with one of them. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "canvas.h"
#include "sound.h"

struct platform_event {
    int key; /* Linux key code (KEY_LEFT, KEY_Z, ...) */
    bool down;
};

/* Returns false, having said why, where the picture cannot be shown. `args` is what follows the program's options. */
bool platform_open(int count, char **args);

/* One waiting event, never waiting for one. Call until false at the start of each tick. */
bool platform_poll(struct platform_event *event);

/* The order in each tick: poll, (update, draw,) audio, present. Present returns at the start of the next tick. */
void platform_audio(const int16_t samples[SOUND_FRAMES * 2]);
void platform_present(const struct canvas *picture);

void platform_log(const char *text);
void platform_close(void);

#endif
