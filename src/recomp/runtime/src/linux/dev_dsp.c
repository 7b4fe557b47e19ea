/* /dev/dsp: OSS playback on the virtual sound card. Requests and structures: sys/soundcard.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../audio.h"
#include "../clock.h"
#include "../memory.h"
#include "../options.h"
#include "devices.h"
#include "svc.h"

#define AFMT_U8 0x08
#define AFMT_S16_LE 0x10
#define MOST_CARRIED 4 /* bytes of the widest sample frame */

typedef struct dsp {
  uint32_t format;
  uint32_t fragment_size, fragments; /* bytes; how many */
  uint8_t carried[MOST_CARRIED];     /* the start of a sample frame whose rest is still to come */
  uint32_t carried_size;
} dsp;

static dsp *dsp_of(rt_file *f) { return f->state; }

static uint32_t frame_size(const dsp *d) { return rt_audio_channels() * (d->format == AFMT_U8 ? 1 : 2); }

static uint32_t buffer_frames(const dsp *d) {
  uint32_t frames = d->fragment_size * d->fragments / frame_size(d);
  return frames < RT_AUDIO_FRAMES ? frames : RT_AUDIO_FRAMES;
}

static uint32_t fragment_frames(const dsp *d) {
  uint32_t frames = d->fragment_size / frame_size(d);
  return frames ? frames : 1;
}

static void catch_up(void) {
  if (rt_opt.realtime) rt_clock_advance(rt_clock_now());
}

static uint32_t room(const dsp *d) {
  catch_up();
  uint32_t waiting = rt_audio_waiting(), most = buffer_frames(d);
  return waiting < most ? most - waiting : 0;
}

/* Queues whole sample frames in the guest's format. */
static void queue(const dsp *d, const uint8_t *bytes, uint32_t frames) {
  int16_t samples[512];
  uint32_t channels = rt_audio_channels(), most = 512 / channels;
  while (frames > 0) {
    uint32_t n = frames < most ? frames : most;
    if (d->format == AFMT_U8)
      for (uint32_t i = 0; i < n * channels; i++) samples[i] = (int16_t)((bytes[i] - 128) * 256);
    else
      memcpy(samples, bytes, (size_t)n * channels * 2);
    rt_audio_queue(samples, n);
    bytes += n * frame_size(d);
    frames -= n;
  }
}

/* Waits until a fragment, or what is left of the guest's data, finds room: 0, -EAGAIN or -RT_RESTART. */
static int64_t wait_for_room(rt_thread *t, rt_file *f, uint32_t frames) {
  const dsp *d = dsp_of(f);
  if (f->flags & G_O_NONBLOCK) return -EAGAIN;
  uint32_t wanted = frames < fragment_frames(d) ? frames : fragment_frames(d), most = buffer_frames(d);
  if (wanted > most) wanted = most;
  return rt_thread_wait(t, rt_audio_time_until(most - wanted), NULL, 0) == RT_INTERRUPTED ? -RT_RESTART : 0;
}

/* Completes a sample frame of which an earlier write brought the start; how many bytes that took, or -errno. */
static int64_t write_carried(rt_thread *t, rt_file *f, const uint8_t *bytes, uint64_t size) {
  dsp *d = dsp_of(f);
  uint64_t n = frame_size(d) - d->carried_size;
  if (n > size) n = size;
  memcpy(d->carried + d->carried_size, bytes, n);
  if (d->carried_size + n < frame_size(d)) {
    d->carried_size += (uint32_t)n;
    return (int64_t)n;
  }
  while (!room(d)) {
    int64_t problem = wait_for_room(t, f, 1);
    if (problem) return problem;
  }
  queue(d, d->carried, 1);
  d->carried_size = 0;
  return (int64_t)n;
}

static int64_t dsp_write(rt_thread *t, rt_file *f, const void *from, uint64_t size) {
  dsp *d = dsp_of(f);
  const uint8_t *bytes = from;
  uint64_t done = 0, each = frame_size(d);
  rt_audio_start();
  while (done < size) {
    uint64_t left = size - done;
    int64_t n = 0;
    if (d->carried_size || left < each) {
      n = write_carried(t, f, bytes + done, left);
    } else {
      uint64_t frames = left / each, now = room(d);
      if (frames > now) frames = now;
      queue(d, bytes + done, (uint32_t)frames);
      n = (int64_t)(frames * each);
      if (!frames) n = wait_for_room(t, f, left / each < UINT32_MAX ? (uint32_t)(left / each) : UINT32_MAX);
    }
    if (n < 0) return done ? (int64_t)done : n;
    done += (uint64_t)n;
  }
  return (int64_t)done;
}

static short dsp_poll(rt_file *f, short events) {
  const dsp *d = dsp_of(f);
  return room(d) >= fragment_frames(d) ? events & POLLOUT : 0;
}

static uint64_t dsp_ready_at(rt_file *f, short events) {
  const dsp *d = dsp_of(f);
  uint32_t most = buffer_frames(d), wanted = fragment_frames(d);
  return events & POLLOUT ? rt_audio_time_until(most > wanted ? most - wanted : 0) : RT_FOREVER;
}

/* The card has one format per run, so a request after its start gets what there is, as on a busy card. */
static int32_t set_rate(int32_t rate) {
  if (rate < (int32_t)RT_AUDIO_MIN_RATE) rate = RT_AUDIO_MIN_RATE;
  if (rate > (int32_t)RT_AUDIO_MAX_RATE) rate = RT_AUDIO_MAX_RATE;
  rt_audio_configure((uint32_t)rate, rt_audio_channels());
  return (int32_t)rt_audio_rate();
}

static int32_t set_channels(int32_t channels) {
  rt_audio_configure(rt_audio_rate(), channels <= 1 ? 1 : 2);
  return (int32_t)rt_audio_channels();
}

static int32_t set_format(dsp *d, int32_t format) {
  if (format == AFMT_U8 || format == AFMT_S16_LE) d->format = (uint32_t)format;
  return (int32_t)d->format;
}

/* 0xMMMMSSSS: M fragments (0x7fff = as many as possible) of 2^S bytes. */
static int32_t set_fragment(dsp *d, int32_t wanted) {
  unsigned shift = (unsigned)wanted & 0xffff, count = (unsigned)wanted >> 16 & 0x7fff;
  shift = shift < 4 ? 4 : shift > 16 ? 16 : shift;
  unsigned most = (RT_AUDIO_FRAMES * 2) >> shift;
  d->fragment_size = 1u << shift;
  d->fragments = count < 2 ? 2 : count > most ? most : count;
  return wanted;
}

static int64_t get_space(dsp *d, uint64_t argument) {
  uint32_t bytes = room(d) * frame_size(d);
  int32_t info[4] = {(int32_t)(bytes / d->fragment_size), (int32_t)d->fragments, (int32_t)d->fragment_size,
                     (int32_t)bytes};
  return rt_memory_put(argument, info, sizeof info) ? 0 : -EFAULT;
}

static int64_t put_int(uint64_t argument, int32_t value) { return rt_memory_put(argument, &value, 4) ? 0 : -EFAULT; }

/* Requests that pass an int both ways. */
static int64_t exchange(dsp *d, uint32_t request, uint64_t argument) {
  int32_t value;
  if (!rt_memory_get(&value, argument, sizeof value)) return -EFAULT;
  switch (request) {
    case 0xc0045002: return put_int(argument, set_rate(value));              /* SNDCTL_DSP_SPEED */
    case 0xc0045003: return put_int(argument, set_channels(value + 1) - 1);  /* SNDCTL_DSP_STEREO */
    case 0xc0045005: return put_int(argument, set_format(d, value));         /* SNDCTL_DSP_SETFMT */
    case 0xc0045006: return put_int(argument, set_channels(value));          /* SNDCTL_DSP_CHANNELS */
    case 0xc004500a: return put_int(argument, set_fragment(d, value));       /* SNDCTL_DSP_SETFRAGMENT */
    default: return -EINVAL;
  }
}

static int64_t drain(rt_thread *t) {
  catch_up();
  rt_thread_sleep(t, rt_audio_time_until(0));
  return 0;
}

static int64_t dsp_ioctl(rt_thread *t, rt_file *f, uint32_t request, uint64_t argument) {
  dsp *d = dsp_of(f);
  switch (request) {
    case 0x5000: rt_audio_reset(); return 0;                                  /* SNDCTL_DSP_RESET */
    case 0x5001: return drain(t);                                             /* SNDCTL_DSP_SYNC */
    case 0x5008:                                                              /* SNDCTL_DSP_POST */
    case 0xc0045009:                                                          /* SNDCTL_DSP_SUBDIVIDE */
    case 0x40045010: return 0;                                                /* SNDCTL_DSP_SETTRIGGER */
    case 0x500e: f->flags |= G_O_NONBLOCK; return 0;                          /* SNDCTL_DSP_NONBLOCK */
    case 0x80045002: return put_int(argument, (int32_t)rt_audio_rate());      /* SOUND_PCM_READ_RATE */
    case 0x80045006: return put_int(argument, (int32_t)rt_audio_channels());  /* SOUND_PCM_READ_CHANNELS */
    case 0x80045005: return put_int(argument, d->format == AFMT_U8 ? 8 : 16); /* SOUND_PCM_READ_BITS */
    case 0xc0045004: return put_int(argument, (int32_t)d->fragment_size);     /* SNDCTL_DSP_GETBLKSIZE */
    case 0x8004500b: return put_int(argument, AFMT_U8 | AFMT_S16_LE);         /* SNDCTL_DSP_GETFMTS */
    case 0x8004500f: return put_int(argument, 0x1001);                        /* SNDCTL_DSP_GETCAPS: trigger, output */
    case 0x80045017: return put_int(argument, (int32_t)((buffer_frames(d) - room(d)) * frame_size(d))); /* GETODELAY */
    case 0x8010500c: return get_space(d, argument);                           /* SNDCTL_DSP_GETOSPACE */
    default: return exchange(d, request, argument);
  }
}

static void dsp_close(rt_file *f) { free(f->state); }

static const rt_file_kind kind = {
    .name = "dsp",
    .write = dsp_write,
    .ioctl = dsp_ioctl,
    .poll = dsp_poll,
    .ready_at = dsp_ready_at,
    .close = dsp_close,
    .mode = S_IFCHR | 0666,
    .device = 14 << 8 | 3,
};

rt_file *rt_dsp_open(int flags) {
  dsp *d = calloc(1, sizeof *d);
  rt_file *f = d ? rt_file_new(&kind, flags, -1, NULL) : NULL;
  if (!f) {
    free(d);
    return NULL;
  }
  *d = (dsp){.format = AFMT_S16_LE, .fragment_size = 4096, .fragments = 16};
  f->state = d;
  return f;
}
