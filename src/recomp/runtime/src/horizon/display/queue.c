#include "queue.h"

#include <string.h>

void hz_queue_init(hz_queue *q) {
  memset(q, 0, sizeof *q);
  q->shown = -1;
}

static hz_slot *slot_at(hz_queue *q, int32_t slot) { return slot >= 0 && slot < HZ_SLOTS ? &q->slots[slot] : NULL; }

int32_t hz_queue_set_buffer(hz_queue *q, int32_t slot, const uint8_t *buffer, uint32_t size) {
  hz_slot *s = slot_at(q, slot);
  if (!s || size > sizeof s->buffer) return HZ_STATUS_BAD_VALUE;
  if (slot == q->shown) q->shown = -1;
  memset(s, 0, sizeof *s);
  if (!buffer) return HZ_STATUS_OK;
  memcpy(s->buffer, buffer, size);
  s->buffer_size = size;
  s->state = HZ_SLOT_FREE;
  return HZ_STATUS_OK;
}

int32_t hz_queue_connect(hz_queue *q, int32_t api) {
  if (q->connected) return HZ_STATUS_BAD_VALUE;
  q->connected = true;
  q->api = api;
  return HZ_STATUS_OK;
}

int32_t hz_queue_disconnect(hz_queue *q, int32_t api) {
  if (!q->connected || q->api != api) return HZ_STATUS_BAD_VALUE;
  hz_queue_init(q);
  return HZ_STATUS_OK;
}

/* The slot to dequeue, or a status. */
static int32_t pick(const hz_queue *q) {
  int32_t best = -1, present = 0, last = -1, dequeued = 0;
  if (!q->connected) return HZ_STATUS_NOT_CONNECTED;
  for (int32_t i = 0; i < HZ_SLOTS; i++) {
    const hz_slot *s = &q->slots[i];
    if (s->state == HZ_SLOT_EMPTY) continue;
    present++;
    last = i;
    dequeued += s->state == HZ_SLOT_DEQUEUED;
    if (s->state == HZ_SLOT_FREE && (best < 0 || s->order < q->slots[best].order)) best = i;
  }
  if (present == 1 && q->slots[last].state == HZ_SLOT_SHOWN) best = last;
  if (best < 0) return dequeued == present ? HZ_STATUS_INVALID_OPERATION : HZ_STATUS_WOULD_BLOCK;
  return best;
}

int32_t hz_queue_dequeue(hz_queue *q, int32_t *slot) {
  const int32_t best = pick(q);
  if (best < 0) return best;
  q->slots[best].state = HZ_SLOT_DEQUEUED;
  *slot = best;
  return HZ_STATUS_OK;
}

bool hz_queue_has_free(const hz_queue *q) { return pick(q) >= 0; }

int32_t hz_queue_queue(hz_queue *q, int32_t slot, const hz_presentation *presentation) {
  hz_slot *s = slot_at(q, slot);
  if (!q->connected) return HZ_STATUS_NOT_CONNECTED;
  if (!s || s->state != HZ_SLOT_DEQUEUED) return HZ_STATUS_BAD_VALUE;
  s->state = HZ_SLOT_QUEUED;
  s->order = ++q->last_order;
  s->presentation = *presentation;
  return HZ_STATUS_OK;
}

int32_t hz_queue_cancel(hz_queue *q, int32_t slot) {
  hz_slot *s = slot_at(q, slot);
  if (!s || s->state != HZ_SLOT_DEQUEUED) return HZ_STATUS_BAD_VALUE;
  s->state = slot == q->shown ? HZ_SLOT_SHOWN : HZ_SLOT_FREE;
  return HZ_STATUS_OK;
}

int32_t hz_queue_detach(hz_queue *q, int32_t slot) {
  hz_slot *s = slot_at(q, slot);
  if (!s || s->state == HZ_SLOT_EMPTY) return HZ_STATUS_BAD_VALUE;
  return hz_queue_set_buffer(q, slot, NULL, 0);
}

uint32_t hz_queue_pending(const hz_queue *q) {
  uint32_t n = 0;
  for (int32_t i = 0; i < HZ_SLOTS; i++) n += q->slots[i].state == HZ_SLOT_QUEUED;
  return n;
}

static int32_t first_queued(const hz_queue *q) {
  int32_t first = -1;
  for (int32_t i = 0; i < HZ_SLOTS; i++)
    if (q->slots[i].state == HZ_SLOT_QUEUED && (first < 0 || q->slots[i].order < q->slots[first].order)) first = i;
  return first;
}

bool hz_queue_vsync(hz_queue *q) {
  const int32_t next = first_queued(q);
  q->shown_for++;
  if (next < 0) return false;
  if (q->shown >= 0 && q->shown_for < q->slots[q->shown].presentation.interval) return false;
  const int32_t before = q->shown;
  q->shown = next;
  q->shown_for = 0;
  q->slots[next].state = HZ_SLOT_SHOWN;
  if (before < 0 || before == next || q->slots[before].state != HZ_SLOT_SHOWN) return false;
  q->slots[before].state = HZ_SLOT_FREE;
  return true;
}
