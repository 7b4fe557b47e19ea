/* Ember Kite: the loop that joins the game and a platform, and the benchmark that needs no platform at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "game.h"
#include "platform.h"

enum { SEED = 20, KEY_ESCAPE = 1 };

/* Linux key codes, in the order of the buttons' bits. */
static const struct {
    int key;
    unsigned button;
} key_map[] = {
    {105, BUTTON_LEFT}, {106, BUTTON_RIGHT}, {103, BUTTON_UP}, {108, BUTTON_DOWN},
    {44, BUTTON_A},     {45, BUTTON_B},      {28, BUTTON_START},
};

/* Follows keys that go up and down. Returns false when the player asks to leave. */
static bool read_keys(unsigned *buttons)
{
    struct platform_event event;
    while (platform_poll(&event)) {
        if (event.key == KEY_ESCAPE && event.down) return false;
        for (size_t i = 0; i < sizeof key_map / sizeof *key_map; i++) {
            if (key_map[i].key != event.key) continue;
            if (event.down) *buttons |= key_map[i].button;
            else *buttons &= ~key_map[i].button;
        }
    }
    return true;
}

static int play(int count, char **args)
{
    static struct canvas picture;
    int16_t samples[SOUND_FRAMES * 2];
    unsigned buttons = 0;
    if (!platform_open(count, args)) return 1;
    struct game *g = game_new(SEED, platform_log);
    if (!g) {
        platform_log("out of memory");
        platform_close();
        return 1;
    }
    while (read_keys(&buttons)) {
        game_update(g, buttons);
        game_draw(&picture, g);
        sound_render(g->sound, samples);
        platform_audio(samples);
        platform_present(&picture);
    }
    game_say(g, "leaving");
    game_free(g);
    platform_close();
    return 0;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return hash;
}

/* Plays, draws and sounds `ticks` ticks of the demonstration, and prints a checksum of all of it. */
static int bench(long ticks, uint64_t seed)
{
    static struct canvas picture;
    int16_t samples[SOUND_FRAMES * 2];
    uint64_t hash = UINT64_C(14695981039346656037);
    struct game *g = game_new(seed, NULL);
    if (!g) return 1;
    game_start_demo(g);
    for (long i = 0; i < ticks; i++) {
        if (g->scene == SCENE_TITLE && !g->demo) game_start_demo(g);
        game_update(g, 0);
        game_draw(&picture, g);
        sound_render(g->sound, samples);
        hash = hash_bytes(hash, samples, sizeof samples);
        hash = hash_bytes(hash, picture.px[i % VIEW_H], sizeof picture.px[0]);
        hash = hash_bytes(hash, &g->score, sizeof g->score);
    }
    hash = hash_bytes(hash, &picture, sizeof picture);
    printf("%016llx score %llu\n", (unsigned long long)hash, (unsigned long long)g->score);
    game_free(g);
    return 0;
}

int main(int count, char **args)
{
    if (count >= 3 && strcmp(args[1], "--bench") == 0)
        return bench(strtol(args[2], NULL, 10), count > 3 ? strtoull(args[3], NULL, 10) : SEED);
    return play(count - 1, args + 1);
}
