/* /dev/fb0: 1280x720, 32 bits a pixel (XRGB8888), with a second screen below the first for FBIOPAN_DISPLAY.
 * Waiting for vsync ends the tick, and with it the frame that is recorded. Structures: linux/fb.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../clock.h"
#include "../end.h"
#include "../memory.h"
#include "../video.h"
#include "devices.h"

#define WIDTH 1280u
#define HEIGHT 720u
#define STRIDE (WIDTH * 4)
#define SIZE (STRIDE * HEIGHT * 2)

#define FBIOGET_VSCREENINFO 0x4600
#define FBIOPUT_VSCREENINFO 0x4601
#define FBIOGET_FSCREENINFO 0x4602
#define FBIOPAN_DISPLAY 0x4606
#define FBIOBLANK 0x4611
#define FBIO_WAITFORVSYNC 0x40044620

typedef struct bitfield {
  uint32_t offset, length, msb_right;
} bitfield;

typedef struct var_screeninfo {
  uint32_t xres, yres, xres_virtual, yres_virtual, xoffset, yoffset, bits_per_pixel, grayscale;
  bitfield red, green, blue, transp;
  uint32_t nonstd, activate, height_mm, width_mm, accel_flags;
  uint32_t pixclock, left_margin, right_margin, upper_margin, lower_margin, hsync_len, vsync_len;
  uint32_t sync, vmode, rotate, colorspace, reserved[4];
} var_screeninfo;

typedef struct fix_screeninfo {
  char id[16];
  uint64_t smem_start;
  uint32_t smem_len, type, type_aux, visual;
  uint16_t xpanstep, ypanstep, ywrapstep;
  uint32_t line_length;
  uint64_t mmio_start;
  uint32_t mmio_len, accel;
  uint16_t capabilities, reserved[2];
} fix_screeninfo;

_Static_assert(sizeof(var_screeninfo) == 160 && sizeof(fix_screeninfo) == 80, "the kernel's sizes");

static int memory_fd = -1; /* what the guest maps and what is scanned out are the same pages */
static uint8_t *pixels;
static uint32_t yoffset; /* first row that is scanned out */

static void scan_out(void) { rt_video_scanout(pixels + (size_t)yoffset * STRIDE, STRIDE); }

static void make_screen(void) {
  memory_fd = rt_host_high(memfd_create("fb0", MFD_CLOEXEC));
  if (memory_fd < 0 || ftruncate(memory_fd, SIZE)) rt_fail("cannot make the screen's memory: %s", strerror(errno));
  pixels = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
  if (pixels == MAP_FAILED) rt_fail("cannot map the screen's memory: %s", strerror(errno));
  rt_video_open(WIDTH, HEIGHT);
  scan_out();
}

static var_screeninfo mode(void) {
  return (var_screeninfo){
      .xres = WIDTH,
      .yres = HEIGHT,
      .xres_virtual = WIDTH,
      .yres_virtual = HEIGHT * 2,
      .yoffset = yoffset,
      .bits_per_pixel = 32,
      .red = {16, 8, 0},
      .green = {8, 8, 0},
      .blue = {0, 8, 0},
      .height_mm = UINT32_MAX, /* unknown */
      .width_mm = UINT32_MAX,
      .pixclock = 1000000000000u / (WIDTH * HEIGHT * 60), /* picoseconds */
  };
}

static int64_t get_fixed(uint64_t argument) {
  const fix_screeninfo fixed = {
      .id = "recomp",
      .smem_len = SIZE,
      .visual = 2, /* FB_VISUAL_TRUECOLOR */
      .ypanstep = 1,
      .line_length = STRIDE,
  };
  return rt_memory_put(argument, &fixed, sizeof fixed) ? 0 : -EFAULT;
}

static int64_t get_mode(uint64_t argument) {
  const var_screeninfo now = mode();
  return rt_memory_put(argument, &now, sizeof now) ? 0 : -EFAULT;
}

static bool is_our_mode(const var_screeninfo *wanted) {
  return wanted->xres == WIDTH && wanted->yres == HEIGHT && wanted->bits_per_pixel == 32 &&
         wanted->xres_virtual == WIDTH && wanted->yres_virtual <= HEIGHT * 2;
}

static int64_t pan(const var_screeninfo *to) {
  if (to->xoffset != 0 || to->yoffset > HEIGHT) return -EINVAL;
  yoffset = to->yoffset;
  scan_out();
  return 0;
}

static int64_t set_mode(uint64_t argument, bool only_pan) {
  var_screeninfo wanted;
  if (!rt_memory_get(&wanted, argument, sizeof wanted)) return -EFAULT;
  if (!only_pan && !is_our_mode(&wanted)) return -EINVAL;
  int64_t problem = pan(&wanted);
  return problem || only_pan ? problem : get_mode(argument);
}

static int64_t wait_for_vsync(rt_thread *t) {
  rt_thread_sleep(t, (rt_clock_tick() + 1) * RT_UNITS_PER_TICK);
  return 0;
}

static int64_t fb_ioctl(rt_thread *t, rt_file *f, uint32_t request, uint64_t argument) {
  (void)f;
  switch (request) {
    case FBIOGET_VSCREENINFO: return get_mode(argument);
    case FBIOPUT_VSCREENINFO: return set_mode(argument, false);
    case FBIOGET_FSCREENINFO: return get_fixed(argument);
    case FBIOPAN_DISPLAY: return set_mode(argument, true);
    case FBIOBLANK: return 0;
    case FBIO_WAITFORVSYNC: return wait_for_vsync(t);
    default: return -ENOTTY;
  }
}

static int64_t fb_read(rt_thread *t, rt_file *f, void *to, uint64_t size) {
  (void)t;
  if (f->position >= SIZE) return 0;
  if (size > SIZE - f->position) size = SIZE - f->position;
  memcpy(to, pixels + f->position, size);
  f->position += size;
  return (int64_t)size;
}

static int64_t fb_write(rt_thread *t, rt_file *f, const void *from, uint64_t size) {
  (void)t;
  if (f->position >= SIZE) return size ? -ENOSPC : 0;
  if (size > SIZE - f->position) size = SIZE - f->position;
  memcpy(pixels + f->position, from, size);
  f->position += size;
  return (int64_t)size;
}

static int64_t fb_seek(rt_file *f, int64_t offset, int whence) {
  int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)f->position : SIZE;
  if (whence < SEEK_SET || whence > SEEK_END || from + offset < 0) return -EINVAL;
  f->position = (uint64_t)(from + offset);
  return (int64_t)f->position;
}

static int64_t fb_map(rt_file *f, uint32_t addr, uint64_t size, int access, bool shared, uint64_t offset) {
  (void)f;
  if (offset > SIZE || size > SIZE - offset) return -EINVAL;
  return -rt_memory_map_fd(addr, size, access, shared, memory_fd, (int64_t)offset);
}

static const rt_file_kind kind = {
    .name = "fb0",
    .read = fb_read,
    .write = fb_write,
    .seek = fb_seek,
    .ioctl = fb_ioctl,
    .map = fb_map,
    .mode = S_IFCHR | 0666,
    .device = 29 << 8,
};

rt_file *rt_fb_open(int flags) {
  if (!pixels) make_screen();
  return rt_file_new(&kind, flags, -1, NULL);
}
