/* Writes an input script by letting the autopilot hold the buttons: its presses become plain data.
 * Argument: the tick at which ESC is pressed. Prints input_script.toml; says on stderr how it went. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/game.h"

enum { SEED = 20, START_AT = 150 };

static const char *const controls[] = {"LEFT", "RIGHT", "UP", "DOWN", "A", "B", "START"};

static const char *const head =
    "# Made by tools/make_play.c: the buttons the game's own autopilot held, as plain data. Times are ticks of 1/60 s.\n"
    "# The marker \"end\" is later than the last event: the game leaves by itself when it reads ESC.\n"
    "schema_version = \"1\"\n\n"
    "[metadata]\n"
    "title = \"Ember Kite: both evenings begun, the first one won\"\n"
    "controller = \"keyboard\"\n"
    "timing_mode = \"frames\"\n";

static char markers[2048];
static int now;

static void note_marker(const char *name, int tick)
{
    size_t used = strlen(markers);
    snprintf(markers + used, sizeof markers - used, "\n[[markers]]\nname = \"%s\"\nframe = %d\n", name, tick);
}

/* "tick 168: scene level-1" becomes a marker named level-1, "guardian: the ink owl" one named guardian. */
static void on_log(const char *text)
{
    const char *scene = strstr(text, "scene ");
    if (scene) note_marker(scene + 6, now);
    else if (strstr(text, "guardian")) note_marker("guardian", now);
    fprintf(stderr, "%s\n", text);
}

static void print_event(int frame, const char *control, int value)
{
    printf("\n[[events]]\nframe = %d\ncontrol = \"%s\"\nvalue = %d\n", frame, control, value);
}

static void print_changes(int frame, unsigned before, unsigned after)
{
    for (int i = 0; i < 7; i++)
        if ((before ^ after) >> i & 1) print_event(frame, controls[i], after >> i & 1);
}

int main(int count, char **args)
{
    int end = count > 1 ? atoi(args[1]) : 1800;
    struct game *g = game_new(SEED, on_log);
    if (!g) return 1;
    unsigned held = 0;
    fputs(head, stdout);
    for (now = 0; now < end; now++) {
        unsigned wanted = 0;
        if (g->scene == SCENE_TITLE) wanted = now >= START_AT && now < START_AT + 6 ? BUTTON_START : 0;
        else if (g->scene == SCENE_LEVEL && g->level.ticks >= 30) wanted = autopilot_buttons(g);
        print_changes(now, held, wanted);
        held = wanted;
        game_update(g, held);
        if (now % 120 == 0)
            fprintf(stderr, "%d: score %llu hearts %d embers %d\n", now, (unsigned long long)g->score, g->kite.hearts, g->embers);
    }
    print_changes(end, held, 0);
    print_event(end, "KEY_ESC", 1);
    note_marker("leave", end);
    note_marker("end", end + 30);
    printf("%s", markers);
    game_free(g);
    return 0;
}
