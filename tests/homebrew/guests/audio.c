/* audout: a block of 480 sample frames takes ten milliseconds, and blocks come back in order. */
#include "check.h"

#include <nx/audio.h>
#include <nx/system.h>

enum { FRAMES = 480, BLOCKS = 3 };

static int16_t samples[BLOCKS][FRAMES * 2];
static struct nx_audio_block blocks[BLOCKS];

static void fill(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        for (int k = 0; k < FRAMES; k++) {
            samples[i][2 * k] = (int16_t)((k % 48 - 24) * 200 * (i + 1));
            samples[i][2 * k + 1] = (int16_t)(-samples[i][2 * k] / 2);
        }
        blocks[i] = (struct nx_audio_block){0, samples[i], sizeof samples[i], sizeof samples[i], 0};
    }
}

static void check_play(void)
{
    struct nx_audio_block *done = NULL;
    uint32_t count = 9;
    bool held = false;
    for (int i = 0; i < BLOCKS; i++) CHECK_OK(nx_audio_append(&blocks[i]));
    CHECK_OK(nx_audio_count(&count));
    check("three wait", count, 3);
    CHECK_OK(nx_audio_contains(&blocks[2], &held));
    check("the third among them", held, 1);
    uint64_t start = nx_ticks();
    CHECK_OK(nx_audio_start());
    for (int i = 0; i < BLOCKS; i++) {
        do CHECK_OK(nx_audio_wait(&done, 1000000000));
        while (!done);
        check("in order", (uint64_t)(done - blocks), (uint64_t)i);
        uint64_t us = nx_ticks_to_ns(nx_ticks() - start) / 1000;
        check("after ten milliseconds each", us >= 9900u * (unsigned)(i + 1) && us < 10000u * (unsigned)(i + 1) + 900, 1);
    }
    CHECK_OK(nx_audio_released(&done));
    check("no more", done == NULL, 1);
    CHECK_OK(nx_audio_contains(&blocks[2], &held));
    check("it is not held", held, 0);
    CHECK_OK(nx_audio_count(&count));
    check("none waits", count, 0);
}

void check_audio(void)
{
    struct nx_service service = must_get("audout:u");
    char name[0x100] = {0};
    uint32_t count = 0, stopped = 9;
    struct nx_request r = {.command = 2, .out = &count, .out_size = sizeof count,
                           .buffers = {{name, sizeof name, NX_OUT | NX_AUTO}}};
    CHECK_OK(nx_call(&service, &r));
    check("one device", count, 1);
    check("its name", (uint64_t)strcmp(name, "DeviceOut"), 0);
    nx_close(&service);
    fill();
    CHECK_OK(nx_audio_open());
    CHECK_OK(nx_audio_state(&stopped));
    check("stopped", stopped, 1);
    check_play();
    CHECK_OK(nx_audio_state(&stopped));
    check("started", stopped, 0);
    CHECK_OK(nx_audio_stop());
    nx_audio_close();
}
