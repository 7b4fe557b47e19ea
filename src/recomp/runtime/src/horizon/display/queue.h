/* A window's buffer queue: slots that the program draws into and the display shows. It knows no guest memory. */
#ifndef HZ_QUEUE_H
#define HZ_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define HZ_SLOTS 64

/* Android's status numbers. */
#define HZ_STATUS_OK 0
#define HZ_STATUS_WOULD_BLOCK (-11)
#define HZ_STATUS_NOT_CONNECTED (-19)
#define HZ_STATUS_BAD_VALUE (-22)
#define HZ_STATUS_INVALID_OPERATION (-38)

#define HZ_GRAPHIC_BUFFER_SIZE 0x16cu

typedef enum hz_slot_state { HZ_SLOT_EMPTY, HZ_SLOT_FREE, HZ_SLOT_DEQUEUED, HZ_SLOT_QUEUED, HZ_SLOT_SHOWN } hz_slot_state;

/* How a queued buffer is to be shown. */
typedef struct hz_presentation {
  int32_t left, top, right, bottom; /* crop; all zero = all of it */
  uint32_t transform;               /* 1 = left and right exchanged, 2 = top and bottom */
  uint32_t interval;                /* vsyncs that it stays at least */
} hz_presentation;

typedef struct hz_slot {
  hz_slot_state state;
  uint64_t order; /* of its last queueing: who was queued longest ago is dequeued first */
  hz_presentation presentation;
  uint8_t buffer[HZ_GRAPHIC_BUFFER_SIZE]; /* as the program described it */
  uint32_t buffer_size;
} hz_slot;

typedef struct hz_queue {
  bool connected;
  int32_t api;
  hz_slot slots[HZ_SLOTS];
  int32_t shown;      /* slot on the display; -1 = none */
  uint64_t last_order;
  uint32_t shown_for; /* vsyncs */
} hz_queue;

void hz_queue_init(hz_queue *q);

/* `buffer` NULL takes the slot's buffer away. */
int32_t hz_queue_set_buffer(hz_queue *q, int32_t slot, const uint8_t *buffer, uint32_t size);

int32_t hz_queue_connect(hz_queue *q, int32_t api);
int32_t hz_queue_disconnect(hz_queue *q, int32_t api);

/* WOULD_BLOCK until a vsync frees a slot. With a single slot that is the one on the display. */
int32_t hz_queue_dequeue(hz_queue *q, int32_t *slot);

/* Whether a dequeue would succeed. */
bool hz_queue_has_free(const hz_queue *q);
int32_t hz_queue_queue(hz_queue *q, int32_t slot, const hz_presentation *presentation);
int32_t hz_queue_cancel(hz_queue *q, int32_t slot);
int32_t hz_queue_detach(hz_queue *q, int32_t slot);

/* Buffers that were queued and not shown yet. */
uint32_t hz_queue_pending(const hz_queue *q);

/* The display is at its next picture: what was queued first is shown. True = a slot has become free. */
bool hz_queue_vsync(hz_queue *q);

#endif
