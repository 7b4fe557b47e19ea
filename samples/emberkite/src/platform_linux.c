/* A Linux console without a window system: /dev/fb0, /dev/input/event0 and /dev/dsp (OSS).
 *
 * The screen must have 32 bits a pixel; any order of its colours and any size from 320x180 up will do. Two pages are
 * used where the driver offers them, else the one on screen. Without a keyboard device or a sound device the game
 * says so and goes on. EMBERKITE_FB, EMBERKITE_INPUT and EMBERKITE_DSP name other devices. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/input.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/soundcard.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "platform.h"

static struct {
    int fd;
    struct fb_var_screeninfo var;
    struct fb_fix_screeninfo fix;
    uint8_t *memory;
    int pages, back; /* the page drawn on next */
    int zoom, left, top;
    bool has_vsync;
} screen = {.fd = -1};

static int keyboard = -1, dsp = -1;
static struct timespec next_frame;

static const char *device(const char *variable, const char *standard)
{
    const char *path = getenv(variable);
    return path ? path : standard;
}

static bool complain(const char *path, const char *what)
{
    fprintf(stderr, "emberkite: %s: %s: %s\n", path, what, strerror(errno));
    return false;
}

/* ---- screen ---------------------------------------------------------------------------------------------------- */

static bool set_pages(void)
{
    struct fb_var_screeninfo two = screen.var;
    two.yres_virtual = two.yres * 2;
    two.yoffset = 0;
    if (screen.var.yres_virtual < two.yres_virtual) {
        ioctl(screen.fd, FBIOPUT_VSCREENINFO, &two); /* may be refused: then there is one page */
        if (ioctl(screen.fd, FBIOGET_VSCREENINFO, &screen.var) < 0) return false;
    }
    screen.pages = screen.var.yres_virtual >= screen.var.yres * 2 ? 2 : 1;
    screen.back = screen.pages - 1;
    return true;
}

static bool open_screen(void)
{
    const char *path = device("EMBERKITE_FB", "/dev/fb0");
    screen.fd = open(path, O_RDWR);
    if (screen.fd < 0) return complain(path, "cannot open the screen");
    if (ioctl(screen.fd, FBIOGET_VSCREENINFO, &screen.var) < 0) return complain(path, "no screen information");
    if (!set_pages()) return complain(path, "no screen information");
    if (ioctl(screen.fd, FBIOGET_FSCREENINFO, &screen.fix) < 0) return complain(path, "no fixed screen information");
    if (screen.var.bits_per_pixel != 32 || screen.var.xres < VIEW_W || screen.var.yres < VIEW_H) {
        fprintf(stderr, "emberkite: %s: expected 32 bits a pixel and at least %dx%d, found %u and %ux%u\n", path, VIEW_W,
                VIEW_H, screen.var.bits_per_pixel, screen.var.xres, screen.var.yres);
        return false;
    }
    screen.memory = mmap(NULL, screen.fix.smem_len, PROT_READ | PROT_WRITE, MAP_SHARED, screen.fd, 0);
    if (screen.memory == MAP_FAILED) {
        screen.memory = NULL;
        return complain(path, "cannot map the screen");
    }
    int wide = (int)screen.var.xres / VIEW_W, high = (int)screen.var.yres / VIEW_H;
    screen.zoom = wide < high ? wide : high;
    screen.left = ((int)screen.var.xres - VIEW_W * screen.zoom) / 2;
    screen.top = ((int)screen.var.yres - VIEW_H * screen.zoom) / 2;
    screen.has_vsync = true;
    return true;
}

static uint32_t channel(uint32_t value, const struct fb_bitfield *field)
{
    uint32_t wide = field->length >= 8 ? value << (field->length - 8) : value >> (8 - field->length);
    return wide << field->offset;
}

/* Alpha, where the screen has it, is opaque. */
static uint32_t to_screen(uint32_t colour)
{
    const struct fb_var_screeninfo *v = &screen.var;
    uint32_t out = channel(colour >> 16 & 255, &v->red) | channel(colour >> 8 & 255, &v->green) | channel(colour & 255, &v->blue);
    return v->transp.length ? out | channel(255, &v->transp) : out;
}

static void draw_page(const struct canvas *picture)
{
    uint8_t *page = screen.memory + (size_t)screen.back * screen.var.yres * screen.fix.line_length;
    size_t row_bytes = (size_t)VIEW_W * (size_t)screen.zoom * 4;
    for (int y = 0; y < VIEW_H; y++) {
        uint8_t *row = page + (size_t)(screen.top + y * screen.zoom) * screen.fix.line_length + (size_t)screen.left * 4;
        uint32_t *out = (uint32_t *)row;
        for (int x = 0; x < VIEW_W; x++) {
            uint32_t colour = to_screen(picture->px[y][x]);
            for (int i = 0; i < screen.zoom; i++) *out++ = colour;
        }
        for (int i = 1; i < screen.zoom; i++) memcpy(row + (size_t)i * screen.fix.line_length, row, row_bytes);
    }
}

/* Where the driver cannot wait for its screen, the clock gives the time. */
static void wait_by_clock(void)
{
    next_frame.tv_nsec += 1000000000 / 60;
    if (next_frame.tv_nsec >= 1000000000) {
        next_frame.tv_nsec -= 1000000000;
        next_frame.tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next_frame, NULL);
}

void platform_present(const struct canvas *picture)
{
    draw_page(picture);
    if (screen.pages == 2) {
        screen.var.yoffset = (uint32_t)screen.back * screen.var.yres;
        if (ioctl(screen.fd, FBIOPAN_DISPLAY, &screen.var) < 0) screen.pages = 1;
        screen.back = screen.pages == 2 ? 1 - screen.back : (int)(screen.var.yoffset / screen.var.yres);
    }
    uint32_t crtc = 0;
    if (screen.has_vsync && ioctl(screen.fd, FBIO_WAITFORVSYNC, &crtc) < 0) {
        screen.has_vsync = false;
        clock_gettime(CLOCK_MONOTONIC, &next_frame);
    }
    if (!screen.has_vsync) wait_by_clock();
}

/* ---- keyboard -------------------------------------------------------------------------------------------------- */

static void open_keyboard(void)
{
    const char *path = device("EMBERKITE_INPUT", "/dev/input/event0");
    keyboard = open(path, O_RDONLY | O_NONBLOCK);
    if (keyboard < 0) complain(path, "no keyboard");
    else if (isatty(STDIN_FILENO)) ioctl(keyboard, EVIOCGRAB, 1); /* the keys are not also for the shell */
}

bool platform_poll(struct platform_event *event)
{
    struct input_event raw;
    while (keyboard >= 0 && read(keyboard, &raw, sizeof raw) == (ssize_t)sizeof raw) {
        if (raw.type != EV_KEY || raw.value == 2) continue; /* 2: the key repeats */
        event->key = raw.code;
        event->down = raw.value != 0;
        return true;
    }
    return false;
}

/* ---- sound ----------------------------------------------------------------------------------------------------- */

static void open_sound(void)
{
    const char *path = device("EMBERKITE_DSP", "/dev/dsp");
    int format = AFMT_S16_LE, channels = 2, rate = SOUND_RATE;
    dsp = open(path, O_WRONLY);
    if (dsp < 0) {
        complain(path, "no sound");
        return;
    }
    bool agreed = ioctl(dsp, SNDCTL_DSP_SETFMT, &format) >= 0 && format == AFMT_S16_LE &&
                  ioctl(dsp, SNDCTL_DSP_CHANNELS, &channels) >= 0 && channels == 2 &&
                  ioctl(dsp, SNDCTL_DSP_SPEED, &rate) >= 0 && rate == SOUND_RATE;
    if (agreed) return;
    fprintf(stderr, "emberkite: %s: does not play 48 kHz stereo, going on without sound\n", path);
    close(dsp);
    dsp = -1;
}

void platform_audio(const int16_t samples[SOUND_FRAMES * 2])
{
    const char *bytes = (const char *)samples;
    size_t left = SOUND_FRAMES * 2 * sizeof *samples;
    while (dsp >= 0 && left > 0) {
        ssize_t written = write(dsp, bytes, left);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            complain("sound", "cannot write");
            close(dsp);
            dsp = -1;
            return;
        }
        bytes += written;
        left -= (size_t)written;
    }
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

bool platform_open(int count, char **args)
{
    if (count > 0) {
        fprintf(stderr, "emberkite: unknown argument %s\nusage: emberkite [--bench TICKS [SEED]]\n", args[0]);
        return false;
    }
    if (!open_screen()) {
        platform_close();
        return false;
    }
    open_keyboard();
    open_sound();
    return true;
}

void platform_log(const char *text)
{
    fprintf(stderr, "emberkite: %s\n", text);
}

void platform_close(void)
{
    if (screen.memory) {
        memset(screen.memory, 0, screen.fix.smem_len);
        munmap(screen.memory, screen.fix.smem_len);
    }
    if (screen.fd >= 0) {
        screen.var.yoffset = 0;
        ioctl(screen.fd, FBIOPAN_DISPLAY, &screen.var);
        close(screen.fd);
    }
    if (keyboard >= 0) close(keyboard);
    if (dsp >= 0) close(dsp);
    if (isatty(STDIN_FILENO)) tcflush(STDIN_FILENO, TCIFLUSH);
}
