#include "screen.h"

#include <stdlib.h>

#include "../../clock.h"
#include "../../end.h"
#include "../../live.h"
#include "../../record.h"
#include "../../video.h"
#include "pixels.h"

static hz_layer layers[HZ_LAYERS];
static hz_event *vsync_event;
static uint32_t *pixels; /* of the recording's size, which the first picture decides */
static uint32_t width, height;

hz_event *hz_screen_vsync_event(void) {
  if (!vsync_event) vsync_event = hz_event_new();
  return vsync_event;
}

static void open_layer(hz_layer *layer) {
  hz_queue_init(&layer->queue);
  layer->used = true;
  layer->z = 0;
  if (!layer->free_event) layer->free_event = hz_event_new();
  hz_event_clear(layer->free_event);
}

hz_layer *hz_screen_layer(uint64_t number) {
  if (number < 1 || number > HZ_LAYERS) return NULL;
  hz_layer *layer = &layers[number - 1];
  if (!layer->used) open_layer(layer);
  return layer;
}

/* Layer 1 is the applet manager's. */
uint64_t hz_screen_add_layer(void) {
  for (uint64_t number = 2; number <= HZ_LAYERS; number++)
    if (!layers[number - 1].used) return hz_screen_layer(number) ? number : 0;
  return 0;
}

void hz_screen_remove_layer(uint64_t number) {
  if (number >= 1 && number <= HZ_LAYERS) layers[number - 1].used = false;
}

void hz_screen_update_event(hz_layer *layer) {
  if (hz_queue_has_free(&layer->queue)) hz_event_signal(layer->free_event);
  else hz_event_clear(layer->free_event);
}

/* The topmost layer that has a picture; among equals the newest. */
static bool find_picture(hz_picture *picture) {
  const hz_layer *best = NULL;
  for (const hz_layer *l = layers; l < layers + HZ_LAYERS; l++)
    if (l->used && l->queue.shown >= 0 && (!best || l->z >= best->z)) best = l;
  return best && hz_picture_of(&best->queue.slots[best->queue.shown], picture);
}

static void open_screen(const hz_picture *picture) {
  hz_picture_size(picture, &width, &height);
  pixels = calloc((size_t)width * height, sizeof *pixels);
  if (!pixels) rt_fail("out of memory for a %ux%u picture", width, height);
  rt_video_open(width, height);
  rt_video_scanout((const uint8_t *)pixels, width * 4);
}

static uint64_t composed; /* ticks that are */

uint64_t hz_screen_compose_time(void) { return (composed + 1) * RT_UNITS_PER_TICK - HZ_COMPOSE_NS * RT_UNITS_PER_NS; }

void hz_screen_compose(void) {
  composed++;
  for (hz_layer *l = layers; l < layers + HZ_LAYERS; l++) {
    if (!l->used) continue;
    hz_queue_vsync(&l->queue);
    hz_screen_update_event(l);
  }
}

/* The front buffer is read again at every vsync: programs of 2018 draw into it while it is shown. */
void hz_screen_vsync(void) {
  hz_picture picture;
  if (!find_picture(&picture)) return; /* the last picture stays */
  if (!pixels) open_screen(&picture);
  if (rt_record_on() || rt_live_on()) hz_picture_draw(&picture, pixels, width, height);
}

void hz_screen_tick_over(void) { hz_event_signal(hz_screen_vsync_event()); }
