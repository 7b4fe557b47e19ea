/* The display: layers with a buffer queue each, and at every vsync the picture that goes into the recording. */
#ifndef HZ_SCREEN_H
#define HZ_SCREEN_H

#include "../kernel/object.h"
#include "queue.h"

#define HZ_LAYERS 8
#define HZ_SCREEN_WIDTH 1280u
#define HZ_SCREEN_HEIGHT 720u

typedef struct hz_layer {
  bool used;
  hz_queue queue;
  hz_event *free_event; /* signalled while a slot is free */
  uint64_t z;
} hz_layer;

/* A layer by its number, from 1; NULL = there is none. Numbers that nobody made yet are made. */
hz_layer *hz_screen_layer(uint64_t number);
/* A new layer's number; 0 = there are too many. */
uint64_t hz_screen_add_layer(void);
void hz_screen_remove_layer(uint64_t number);

/* Signalled at each vsync. */
hz_event *hz_screen_vsync_event(void);

/* After a call that may have freed a slot or taken the last free one. */
void hz_screen_update_event(hz_layer *layer);

/* The display takes what it shows at a vsync out of the queues a while before, and gives back what it showed until then.
 * A program that waits for a free buffer and then for the vsync has both in one tick. */
#define HZ_COMPOSE_NS 1000000u
uint64_t hz_screen_compose_time(void); /* units: the next one */
void hz_screen_compose(void);

/* At the end of a tick: draws the picture that the recording gets. After that hz_screen_tick_over tells who waits. */
void hz_screen_vsync(void);
void hz_screen_tick_over(void);

#endif
