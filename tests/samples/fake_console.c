/* A console made of memory, for the sample's Linux platform, which is compiled with -Dopen=fake_open and so on.
 *
 * FAKE_WIDTH, FAKE_HEIGHT, FAKE_PAGES, FAKE_PADDING (bytes a row), FAKE_RED, FAKE_GREEN, FAKE_BLUE (bit offsets) say
 * what it is like, FAKE_SCRIPT names a compiled input script. At each vertical sync the visible page goes to stdout as
 * rows of 32-bit pixels without padding; what was played goes to FAKE_SOUND. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/input.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <sys/types.h>
#include <unistd.h>

enum { SCREEN = 1000, KEYBOARD, DSP };

static struct fb_var_screeninfo var;
static uint8_t *memory;
static uint32_t row_bytes, tick;
static FILE *script, *sound;
static unsigned next[4];
static int have_next, dsp_rate, dsp_channels;

static uint32_t number(const char *name, uint32_t standard)
{
    const char *text = getenv(name);
    return text ? (uint32_t)strtoul(text, NULL, 10) : standard;
}

static void read_event(void)
{
    have_next = fscanf(script, "%u %u %u %u", &next[0], &next[1], &next[2], &next[3]) == 4;
}

int fake_open(const char *path, int flags, ...)
{
    if (strcmp(path, "/dev/fb0") == 0) {
        var.xres = var.xres_virtual = number("FAKE_WIDTH", 1280);
        var.yres = number("FAKE_HEIGHT", 720);
        var.yres_virtual = var.yres * number("FAKE_PAGES", 2);
        var.bits_per_pixel = 32;
        var.red.offset = number("FAKE_RED", 16);
        var.green.offset = number("FAKE_GREEN", 8);
        var.blue.offset = number("FAKE_BLUE", 0);
        var.red.length = var.green.length = var.blue.length = 8;
        row_bytes = var.xres * 4 + number("FAKE_PADDING", 0);
        memory = calloc(var.yres_virtual, row_bytes);
        return SCREEN;
    }
    if (strcmp(path, "/dev/input/event0") == 0 && (flags & O_NONBLOCK)) {
        script = fopen(getenv("FAKE_SCRIPT"), "r");
        read_event();
        return KEYBOARD;
    }
    if (strcmp(path, "/dev/dsp") == 0 && getenv("FAKE_SOUND")) {
        sound = fopen(getenv("FAKE_SOUND"), "wb");
        return DSP;
    }
    errno = ENOENT;
    return -1;
}

int fake_ioctl(int fd, unsigned long request, ...)
{
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    struct fb_fix_screeninfo *fix = argument;
    struct fb_var_screeninfo *wanted = argument;
    (void)fd;
    switch ((uint32_t)request) {
    case FBIOGET_VSCREENINFO: *wanted = var; return 0;
    case FBIOGET_FSCREENINFO:
        memset(fix, 0, sizeof *fix);
        fix->line_length = row_bytes;
        fix->smem_len = row_bytes * var.yres_virtual;
        return 0;
    case FBIOPAN_DISPLAY:
        if (wanted->yoffset + var.yres > var.yres_virtual) break;
        var.yoffset = wanted->yoffset;
        return 0;
    case FBIO_WAITFORVSYNC:
        for (uint32_t y = 0; y < var.yres; y++) fwrite(memory + (size_t)(var.yoffset + y) * row_bytes, 4, var.xres, stdout);
        tick++;
        return 0;
    case (uint32_t)SNDCTL_DSP_SETFMT: return *(int *)argument == AFMT_S16_LE ? 0 : -1;
    case (uint32_t)SNDCTL_DSP_CHANNELS: dsp_channels = *(int *)argument; return 0;
    case (uint32_t)SNDCTL_DSP_SPEED: dsp_rate = *(int *)argument; return dsp_rate == 48000 && dsp_channels == 2 ? 0 : -1;
    default: break;
    }
    errno = EINVAL;
    return -1;
}

void *fake_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    (void)at, (void)protection, (void)flags, (void)offset;
    return fd == SCREEN && size == (size_t)row_bytes * var.yres_virtual ? memory : (void *)-1;
}

int fake_munmap(void *at, size_t size)
{
    (void)size;
    return at == memory ? 0 : -1;
}

/* One event a call; every press is followed by a SYN_REPORT, as from a keyboard. */
ssize_t fake_read(int fd, void *buffer, size_t size)
{
    static int report;
    struct input_event event = {0};
    if (fd != KEYBOARD || size != sizeof event) return -1;
    if (report) {
        event.type = EV_SYN;
        report = 0;
    } else if (have_next && next[0] <= tick) {
        event.type = (uint16_t)next[1];
        event.code = (uint16_t)next[2];
        event.value = (int32_t)next[3];
        read_event();
        report = 1;
    } else {
        errno = EAGAIN;
        return -1;
    }
    memcpy(buffer, &event, sizeof event);
    return sizeof event;
}

/* The device takes at most 1000 bytes at a time. */
ssize_t fake_write(int fd, const void *buffer, size_t size)
{
    if (fd != DSP) return -1;
    return (ssize_t)fwrite(buffer, 1, size > 1000 ? 1000 : size, sound);
}

int fake_close(int fd)
{
    if (fd == DSP) return fclose(sound);
    return 0;
}
