/* A console that runs homebrew: a framebuffer on the default display, player 1's pad and the keyboard, audio blocks.
 * Pads and keyboard are states that the system publishes each sixtieth of a second; the game wants what changed. */
#include <nx/applet.h>
#include <nx/audio.h>
#include <nx/display.h>
#include <nx/ipc.h>
#include <nx/pad.h>
#include <nx/process.h>
#include <stdio.h>
#include <string.h>

#include "platform.h"

enum { ZOOM = 4, BLOCKS = 4, ESCAPE = 1, USB_ESCAPE = 0x29 };

/* Linux key codes of the game's buttons. */
static const struct {
    uint64_t button;
    int key;
} buttons[] = {
    {NX_UP, 103}, {NX_DOWN, 108}, {NX_LEFT, 105}, {NX_RIGHT, 106}, {NX_A, 44}, {NX_B, 45}, {NX_PLUS, 28}, {NX_MINUS, ESCAPE},
};

static struct {
    uint64_t last, now;
    size_t next; /* index into buttons of the next to compare */
    bool was_leaving, leaving, fresh;
} input = {.fresh = true};

static struct {
    struct nx_audio_block blocks[BLOCKS];
    int16_t samples[BLOCKS][SOUND_FRAMES * 2];
    bool busy[BLOCKS], works;
} sound;

static bool complain(const char *what, nx_result result)
{
    if (result) printf("emberkite: %s: error %#x\n", what, result);
    return result == 0;
}

bool platform_open(int count, char **args)
{
    (void)args;
    if (count > 0) printf("emberkite: arguments are of no use here\n");
    if (!complain("no place among the programs", nx_applet_open())) return false;
    if (!complain("no screen", nx_display_open(VIEW_W * ZOOM, VIEW_H * ZOOM, NX_RGBA8888))) return false;
    if (!complain("no pad", nx_pad_open())) return false;
    sound.works = complain("no sound", nx_audio_open()) && complain("no sound", nx_audio_start());
    return true;
}

/* Once a tick: what is held now. */
static void read_states(void)
{
    bool asked_to_end = !nx_applet_loop();
    input.now = nx_pad_read().buttons;
    input.leaving = asked_to_end || nx_key_down(USB_ESCAPE);
    input.next = 0;
    input.fresh = false;
}

bool platform_poll(struct platform_event *event)
{
    if (input.fresh) read_states();
    while (input.next < sizeof buttons / sizeof *buttons) {
        size_t i = input.next++;
        if (!((input.now ^ input.last) & buttons[i].button)) continue;
        *event = (struct platform_event){buttons[i].key, (input.now & buttons[i].button) != 0};
        return true;
    }
    input.last = input.now;
    if (input.leaving == input.was_leaving) return false;
    input.was_leaving = input.leaving;
    *event = (struct platform_event){ESCAPE, input.leaving};
    return true;
}

/* ---- sound ------------------------------------------------------------------------------------------------------ */

static int free_block(void)
{
    struct nx_audio_block *done;
    while (!nx_audio_released(&done) && done) sound.busy[done - sound.blocks] = false;
    for (int i = 0; i < BLOCKS; i++)
        if (!sound.busy[i]) return i;
    return -1;
}

void platform_audio(const int16_t samples[SOUND_FRAMES * 2])
{
    if (!sound.works) return;
    int i = free_block();
    struct nx_audio_block *done = NULL;
    if (i < 0 && !nx_audio_wait(&done, 1000000000) && done) i = (int)(done - sound.blocks);
    if (i < 0) return;
    memcpy(sound.samples[i], samples, sizeof sound.samples[i]);
    sound.blocks[i] = (struct nx_audio_block){0, sound.samples[i], sizeof sound.samples[i], sizeof sound.samples[i], 0};
    sound.busy[i] = true;
    sound.works = complain("cannot play", nx_audio_append(&sound.blocks[i]));
}

/* ---- screen ----------------------------------------------------------------------------------------------------- */

/* The display's bytes are red, green, blue, alpha. */
static uint32_t to_screen(uint32_t colour)
{
    return 0xFF000000 | (colour & 0xFF) << 16 | (colour & 0xFF00) | (colour >> 16 & 0xFF);
}

void platform_present(const struct canvas *picture)
{
    struct nx_surface surface = nx_display_surface();
    uint8_t *row = surface.pixels;
    for (int y = 0; y < VIEW_H; y++) {
        uint32_t *out = (uint32_t *)row;
        for (int x = 0; x < VIEW_W; x++) {
            uint32_t colour = to_screen(picture->px[y][x]);
            for (int i = 0; i < ZOOM; i++) *out++ = colour;
        }
        for (int i = 1; i < ZOOM; i++) memcpy(row + (size_t)i * surface.pitch, row, surface.pitch);
        row += ZOOM * (size_t)surface.pitch;
    }
    nx_result result = nx_display_present();
    if (!result) result = nx_display_wait();
    if (!complain("cannot show a picture", result)) nx_exit(result);
    input.fresh = true;
}

void platform_log(const char *text)
{
    printf("emberkite: %s\n", text);
}

void platform_close(void)
{
    nx_audio_close();
    nx_pad_close();
    nx_display_close();
    nx_applet_close();
    nx_manager_close();
}
