/* A pendulum in letters: a worker thread computes its swing, the main thread prints it, a line a sixtieth of a second.
 * Up and down change the damping, A pushes, Plus leaves. */
#include <math.h>
#include <nx/applet.h>
#include <nx/console.h>
#include <nx/ipc.h>
#include <nx/pad.h>
#include <nx/system.h>
#include <nx/thread.h>
#include <stdio.h>
#include <string.h>

enum { GRAPH_TOP = 8, GRAPH_ROWS = 32, CENTRE = 40, REACH = 36, STACK = 0x4000, PRIORITY = 44 };

static struct {
    struct nx_mutex lock;
    struct nx_condition wanted, ready;
    struct nx_thread thread;
    bool is_wanted, is_ready, leaving;
    double angle, speed, damping;
} swing = {.angle = 1.2, .damping = 0.02};

/* One sixtieth of a second by sixteen steps of the semi-implicit Euler method. */
static void step(void)
{
    const double dt = 1.0 / 960, gravity_over_length = 9.81 / 0.7;
    for (int i = 0; i < 16; i++) {
        swing.speed -= (gravity_over_length * sin(swing.angle) + swing.damping * swing.speed) * dt;
        swing.angle += swing.speed * dt;
    }
}

static void work(void *argument)
{
    (void)argument;
    nx_lock(&swing.lock);
    while (!swing.leaving) {
        if (swing.is_wanted) {
            step();
            swing.is_wanted = false;
            swing.is_ready = true;
            nx_condition_wake(&swing.ready, 1);
        }
        nx_condition_wait(&swing.wanted, &swing.lock, NX_FOREVER);
    }
    nx_unlock(&swing.lock);
}

static void ask_for_step(double push)
{
    nx_lock(&swing.lock);
    swing.speed += push;
    swing.is_wanted = true;
    swing.is_ready = false;
    nx_condition_wake(&swing.wanted, 1);
    while (!swing.is_ready) nx_condition_wait(&swing.ready, &swing.lock, NX_FOREVER);
    nx_unlock(&swing.lock);
}

/* Thousandths, so that printing needs no floating point. */
static int thousandths(double value)
{
    return (int)lround(value * 1000);
}

static void print_head(void)
{
    struct nx_calendar now = {0};
    uint64_t seconds = 0;
    nx_time_now(&seconds);
    nx_time_calendar(seconds, &now);
    printf("\x1b[2J\x1b[1;36m  Pendulum\x1b[0m   %04u-%02u-%02u %02u:%02u:%02u UTC, day %u of the year\n", now.year, now.month,
           now.day, now.hour, now.minute, now.second, now.day_of_year + 1);
    printf("\n  Up and Down: damping.  A: a push.  Plus: leave.\n");
    for (int i = 0; i < 8; i++) printf("\x1b[%dm %d%c ", 40 + i, i, "krgybmcw"[i]);
    printf("\x1b[0m\n");
}

static void print_row(int tick)
{
    char row[NX_CONSOLE_COLUMNS + 1];
    memset(row, ' ', sizeof row - 1);
    row[NX_CONSOLE_COLUMNS - 1] = 0;
    int column = CENTRE + (int)lround(sin(swing.angle) * REACH);
    for (int i = column < CENTRE ? column : CENTRE; i < (column < CENTRE ? CENTRE : column); i++) row[i] = '-';
    row[CENTRE] = '|';
    row[column] = 'O';
    printf("\x1b[%d;1H\x1b[%dm%s\x1b[0m", GRAPH_TOP + tick % GRAPH_ROWS, 31 + (tick / GRAPH_ROWS) % 7, row);
    printf("\x1b[42;1H\x1b[7m tick %4d  angle %6d  speed %6d  damping %4d \x1b[0m\x1b[K", tick, thousandths(swing.angle),
           thousandths(swing.speed), thousandths(swing.damping));
}

static nx_result play(void)
{
    uint64_t held = 0;
    for (int tick = 0; nx_applet_loop(); tick++) {
        uint64_t now = nx_pad_read().buttons, pressed = now & ~held;
        held = now;
        if (pressed & NX_PLUS) return 0;
        if (pressed & NX_UP) swing.damping += 0.25;
        if (pressed & NX_DOWN && swing.damping >= 0.25) swing.damping -= 0.25;
        ask_for_step(pressed & NX_A ? 2.5 : 0);
        print_row(tick);
        NX_TRY(nx_console_update());
    }
    return 0;
}

static nx_result run(void)
{
    NX_TRY(nx_applet_open());
    NX_TRY(nx_pad_open());
    NX_TRY(nx_time_open());
    NX_TRY(nx_console_open());
    NX_TRY(nx_thread_create(&swing.thread, work, NULL, STACK, PRIORITY));
    NX_TRY(nx_thread_start(&swing.thread));
    print_head();
    NX_TRY(play());
    nx_lock(&swing.lock);
    swing.leaving = true;
    nx_condition_wake(&swing.wanted, 1);
    nx_unlock(&swing.lock);
    return nx_thread_join(&swing.thread);
}

int main(void)
{
    nx_result result = run();
    nx_console_close();
    nx_time_close();
    nx_pad_close();
    nx_applet_close();
    nx_manager_close();
    return (int)result;
}
