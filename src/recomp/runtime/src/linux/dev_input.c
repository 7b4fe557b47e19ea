/* /dev/input/event0: the compiled input script as evdev events, in the guest's time. Structures: linux/input.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../clock.h"
#include "../input.h"
#include "../live.h"
#include "../memory.h"
#include "../record.h"
#include "devices.h"
#include "svc.h"

#define EV_SYN RT_EV_SYN
#define EV_KEY RT_EV_KEY
#define EV_REL RT_EV_REL
#define EV_ABS RT_EV_ABS
#define KEY_COUNT 0x300
#define ABS_COUNT 0x40

typedef struct input_event {
  int64_t seconds, microseconds;
  uint16_t type, code;
  int32_t value;
} input_event;

_Static_assert(sizeof(input_event) == 24, "the kernel's size");

/* One reader's place in the script. */
typedef struct reader {
  size_t next;
  int clock; /* CLOCK_REALTIME or CLOCK_MONOTONIC, for the events' times */
} reader;

static reader *reader_of(rt_file *f) { return f->state; }

static bool is_due(size_t i) { return rt_input_at(i) && rt_input_at(i)->tick <= rt_clock_tick(); }

/* For a caller that is about to wait. */
static uint64_t due_at(size_t i) {
  if (rt_input_at(i)) return rt_input_at(i)->tick * RT_UNITS_PER_TICK;
  if (rt_live_on()) rt_thread_expect_input();
  return RT_FOREVER;
}

static input_event at_its_time(const rt_input_event *e, const reader *r) {
  uint64_t since_start_us = e->tick * RT_UNITS_PER_TICK / RT_UNITS_PER_NS / 1000;
  uint64_t clock_us = r->clock == 1 ? rt_clock_monotonic_ns() / 1000 : rt_clock_realtime_ns() / 1000;
  uint64_t start_us = clock_us - rt_clock_now() / RT_UNITS_PER_NS / 1000;
  uint64_t us = start_us + since_start_us;
  return (input_event){(int64_t)(us / 1000000), (int64_t)(us % 1000000), e->type, e->code, e->value};
}

static int64_t input_read(rt_thread *t, rt_file *f, void *to, uint64_t size) {
  reader *r = reader_of(f);
  if (size < sizeof(input_event)) return -EINVAL;
  while (!is_due(r->next)) {
    if (f->flags & G_O_NONBLOCK) return -EAGAIN;
    if (rt_thread_wait(t, due_at(r->next), NULL, 0) == RT_INTERRUPTED) return -RT_RESTART;
  }
  uint64_t done = 0;
  for (; done + sizeof(input_event) <= size && is_due(r->next); r->next++, done += sizeof(input_event)) {
    const rt_input_event *e = rt_input_at(r->next);
    input_event out = at_its_time(e, r);
    memcpy((uint8_t *)to + done, &out, sizeof out);
    if (!e->added) rt_record_input(rt_clock_tick(), e->type, e->code, e->value);
  }
  return (int64_t)done;
}

static short input_poll(rt_file *f, short events_wanted) {
  return is_due(reader_of(f)->next) ? events_wanted & POLLIN : 0;
}

static uint64_t input_ready_at(rt_file *f, short events_wanted) {
  return events_wanted & POLLIN ? due_at(reader_of(f)->next) : RT_FOREVER;
}

/* Copies at most what the request has room for; the size that was copied, as evdev does. */
static int64_t put_sized(uint32_t request, uint64_t argument, const void *from, size_t size) {
  size_t room = request >> 16 & 0x3fff;
  if (size > room) size = room;
  return rt_memory_put(argument, from, size) ? (int64_t)size : -EFAULT;
}

static void set_bit(uint8_t *bits, unsigned n) { bits[n / 8] |= (uint8_t)(1u << n % 8); }

/* EVIOCGBIT: which event types (type 0) or codes of a type the device may send: any key, any absolute axis. */
static int64_t get_bits(uint32_t request, uint64_t argument, unsigned type) {
  uint8_t bits[KEY_COUNT / 8] = {0};
  size_t size = sizeof bits;
  if (type == 0) {
    set_bit(bits, EV_SYN), set_bit(bits, EV_KEY), set_bit(bits, EV_REL), set_bit(bits, EV_ABS);
    size = 4;
  }
  for (unsigned key = 1; type == EV_KEY && key < KEY_COUNT; key++) set_bit(bits, key);
  for (unsigned axis = 0; type == EV_ABS && axis < ABS_COUNT; axis++) set_bit(bits, axis);
  if (type == EV_ABS) size = ABS_COUNT / 8;
  if (type == EV_REL) set_bit(bits, 0), set_bit(bits, 1), set_bit(bits, 8), size = 2;
  return put_sized(request, argument, bits, size);
}

/* What the events read so far have left pressed. */
static int64_t get_keys(uint32_t request, uint64_t argument, const reader *r) {
  uint8_t bits[KEY_COUNT / 8] = {0};
  for (size_t i = 0; i < r->next; i++) {
    const rt_input_event *e = rt_input_at(i);
    if (e->type != EV_KEY || e->code >= KEY_COUNT) continue;
    bits[e->code / 8] &= (uint8_t)~(1u << e->code % 8);
    if (e->value) set_bit(bits, e->code);
  }
  return put_sized(request, argument, bits, sizeof bits);
}

static int64_t get_axis(uint32_t request, uint64_t argument, unsigned axis, const reader *r) {
  int32_t info[6] = {0, -32768, 32767, 0, 0, 0}; /* value, minimum, maximum, fuzz, flat, resolution */
  for (size_t i = 0; i < r->next; i++)
    if (rt_input_at(i)->type == EV_ABS && rt_input_at(i)->code == axis) info[0] = rt_input_at(i)->value;
  return put_sized(request, argument, info, sizeof info);
}

static int64_t set_clock(uint64_t argument, reader *r) {
  int32_t clock;
  if (!rt_memory_get(&clock, argument, sizeof clock)) return -EFAULT;
  if (clock != 0 && clock != 1) return -EINVAL;
  r->clock = clock;
  return 0;
}

static int64_t input_ioctl(rt_thread *t, rt_file *f, uint32_t request, uint64_t argument) {
  (void)t;
  static const char name[] = "recomp input";
  static const uint16_t id[4] = {6, 0, 0, 1}; /* BUS_VIRTUAL, vendor, product, version */
  static const int32_t version = 0x010001;
  static const uint8_t none[64];
  unsigned number = request & 0xff;
  if ((request >> 8 & 0xff) != 'E') return -ENOTTY;
  if (number >= 0x20 && number < 0x40) return get_bits(request, argument, number - 0x20);
  if (number >= 0x40 && number < 0x80) return get_axis(request, argument, number - 0x40, reader_of(f));
  switch (number) {
    case 0x01: return rt_memory_put(argument, &version, 4) ? 0 : -EFAULT; /* EVIOCGVERSION */
    case 0x02: return rt_memory_put(argument, id, 8) ? 0 : -EFAULT;       /* EVIOCGID */
    case 0x06: return put_sized(request, argument, name, sizeof name);    /* EVIOCGNAME */
    case 0x09:                                                            /* EVIOCGPROP */
    case 0x19:                                                            /* EVIOCGLED */
    case 0x1b: return put_sized(request, argument, none, sizeof none);    /* EVIOCGSW */
    case 0x18: return get_keys(request, argument, reader_of(f));          /* EVIOCGKEY */
    case 0x90: return 0;                                                  /* EVIOCGRAB */
    case 0xa0: return set_clock(argument, reader_of(f));                  /* EVIOCSCLOCKID */
    case 0x07:                                                            /* EVIOCGPHYS */
    case 0x08: return -ENOENT;                                            /* EVIOCGUNIQ */
    default: return -EINVAL;
  }
}

static void input_close(rt_file *f) { free(f->state); }

static const rt_file_kind kind = {
    .name = "event0",
    .read = input_read,
    .ioctl = input_ioctl,
    .poll = input_poll,
    .ready_at = input_ready_at,
    .close = input_close,
    .mode = S_IFCHR | 0666,
    .device = 13 << 8 | 64,
};

rt_file *rt_input_open(int flags) {
  reader *r = calloc(1, sizeof *r);
  rt_file *f = r ? rt_file_new(&kind, flags, -1, NULL) : NULL;
  if (f) f->state = r;
  else free(r);
  return f;
}
