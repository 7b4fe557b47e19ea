/* The reference machine: no devices. Events come from a compiled input script (lines TICK TYPE CODE VALUE), frames
 * (RGBA, 1280x720) and samples (s16le) go to files. Arguments: SCRIPT FRAMES AUDIO; "-" leaves a file out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

enum { ZOOM = 4, EV_KEY_TYPE = 1 };

static FILE *script, *frames, *audio;
static int tick;
static int next_tick, next_type, next_code, next_value;
static bool have_next;

static bool open_file(FILE **file, const char *path, const char *mode)
{
    if (strcmp(path, "-") == 0) return true;
    *file = fopen(path, mode);
    if (!*file) fprintf(stderr, "emberkite: cannot open %s\n", path);
    return *file != NULL;
}

static void read_line(void)
{
    have_next = script && fscanf(script, "%d %d %d %d", &next_tick, &next_type, &next_code, &next_value) == 4;
}

bool platform_open(int count, char **args)
{
    if (count != 3) {
        fprintf(stderr, "usage: emberkite SCRIPT FRAMES AUDIO  |  emberkite --bench TICKS [SEED]\n");
        return false;
    }
    if (!open_file(&script, args[0], "r") || !open_file(&frames, args[1], "wb") || !open_file(&audio, args[2], "wb"))
        return false;
    read_line();
    return true;
}

bool platform_poll(struct platform_event *event)
{
    while (have_next && next_tick <= tick) {
        bool is_key = next_type == EV_KEY_TYPE;
        event->key = next_code;
        event->down = next_value != 0;
        read_line();
        if (is_key) return true;
    }
    return false;
}

static void must_write(const void *data, size_t size, FILE *file)
{
    if (file && fwrite(data, 1, size, file) != size) {
        fprintf(stderr, "emberkite: a file could not be written\n");
        exit(1);
    }
}

void platform_audio(const int16_t samples[SOUND_FRAMES * 2])
{
    unsigned char bytes[SOUND_FRAMES * 4];
    for (int i = 0; i < SOUND_FRAMES * 2; i++) {
        bytes[2 * i] = (unsigned char)(samples[i] & 255);
        bytes[2 * i + 1] = (unsigned char)(samples[i] >> 8 & 255);
    }
    must_write(bytes, sizeof bytes, audio);
}

void platform_present(const struct canvas *picture)
{
    static unsigned char row[VIEW_W * ZOOM * 4];
    for (int y = 0; frames && y < VIEW_H * ZOOM; y++) {
        for (int x = 0; x < VIEW_W * ZOOM; x++) {
            uint32_t colour = picture->px[y / ZOOM][x / ZOOM];
            row[4 * x] = (unsigned char)(colour >> 16);
            row[4 * x + 1] = (unsigned char)(colour >> 8);
            row[4 * x + 2] = (unsigned char)colour;
            row[4 * x + 3] = 255;
        }
        must_write(row, sizeof row, frames);
    }
    tick++;
    if (script && !have_next && tick > 36000) { /* a script that never leaves */
        fprintf(stderr, "emberkite: ten minutes without an end\n");
        exit(1);
    }
}

void platform_log(const char *text)
{
    fprintf(stderr, "emberkite: %s\n", text);
}

void platform_close(void)
{
    FILE *all[3] = {script, frames, audio};
    for (int i = 0; i < 3; i++)
        if (all[i] && fclose(all[i]) != 0) fprintf(stderr, "emberkite: a file could not be closed\n");
}
