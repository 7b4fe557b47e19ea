/* IHOSBinderDriver: android.gui.IGraphicBufferProducer in parcels. */
#include "binder.h"

#include "../display/screen.h"
#include "../kernel/kthread.h"
#include "parcel.h"

enum {
  REQUEST_BUFFER = 1,
  SET_BUFFER_COUNT = 2,
  DEQUEUE_BUFFER = 3,
  DETACH_BUFFER = 4,
  QUEUE_BUFFER = 7,
  CANCEL_BUFFER = 8,
  QUERY = 9,
  CONNECT = 10,
  DISCONNECT = 11,
  SET_PREALLOCATED_BUFFER = 14,
};
enum { QUERY_WIDTH, QUERY_HEIGHT, QUERY_FORMAT, QUERY_MIN_UNDEQUEUED };

#define FENCE_SIZE 0x24u
#define QUEUE_INPUT_SIZE 0x54u
#define NO_SYNCPOINT 0xffffffffu
#define RGBA8888 1u

static void put_output(hz_parcel_out *out, const hz_layer *layer) {
  hz_parcel_put32(out, HZ_SCREEN_WIDTH);
  hz_parcel_put32(out, HZ_SCREEN_HEIGHT);
  hz_parcel_put32(out, 0); /* transform hint */
  hz_parcel_put32(out, hz_queue_pending(&layer->queue));
}

/* Nothing to wait for: software drew. */
static void put_fence(hz_parcel_out *out) {
  hz_parcel_put32(out, 1);
  hz_parcel_put32(out, FENCE_SIZE);
  hz_parcel_put32(out, 0);
  hz_parcel_put32(out, 0);
  for (int i = 0; i < 4; i++) {
    hz_parcel_put32(out, NO_SYNCPOINT);
    hz_parcel_put32(out, 0);
  }
}

/* Waits inside the call until the display gives a slot back, unless the program says that it will wait by itself. */
static void dequeue(hz_layer *layer, bool is_asynchronous, hz_parcel_out *out) {
  int32_t slot = 0, status;
  while ((status = hz_queue_dequeue(&layer->queue, &slot)) == HZ_STATUS_WOULD_BLOCK && !is_asynchronous)
    hz_thread_wait(hz_thread_current(), HZ_WAITS_SYSTEM, hz_screen_compose_time());
  hz_parcel_put32(out, (uint32_t)slot);
  put_fence(out);
  hz_parcel_put32(out, (uint32_t)status);
}

static void request(const hz_layer *layer, uint32_t slot, hz_parcel_out *out) {
  const hz_slot *s = slot < HZ_SLOTS ? &layer->queue.slots[slot] : NULL;
  const bool present = s && s->state != HZ_SLOT_EMPTY;
  hz_parcel_put32(out, present);
  if (present) {
    hz_parcel_put32(out, s->buffer_size);
    hz_parcel_put32(out, 0);
    hz_parcel_put(out, s->buffer, s->buffer_size);
  }
  hz_parcel_put32(out, (uint32_t)(present ? HZ_STATUS_OK : HZ_STATUS_BAD_VALUE));
}

/* QueueBufferInput: two words of timestamp and one that says it is automatic, crop, scaling, transform, sticky one,
 * one unknown, interval, fence. */
static void queue(hz_layer *layer, hz_parcel_in *in, hz_parcel_out *out) {
  const int32_t slot = (int32_t)hz_parcel_get32(in);
  uint32_t size;
  hz_parcel_in input = *in;
  int32_t status = HZ_STATUS_BAD_VALUE;
  if (hz_parcel_get_object(in, &size) && size >= QUEUE_INPUT_SIZE) {
    input.at += 8 + 12;
    hz_presentation p;
    p.left = (int32_t)hz_parcel_get32(&input), p.top = (int32_t)hz_parcel_get32(&input);
    p.right = (int32_t)hz_parcel_get32(&input), p.bottom = (int32_t)hz_parcel_get32(&input);
    hz_parcel_get32(&input);
    p.transform = hz_parcel_get32(&input);
    input.at += 8;
    p.interval = hz_parcel_get32(&input);
    status = hz_queue_queue(&layer->queue, slot, &p);
  }
  put_output(out, layer);
  hz_parcel_put32(out, (uint32_t)status);
}

static void set_buffer(hz_layer *layer, hz_parcel_in *in) {
  const int32_t slot = (int32_t)hz_parcel_get32(in);
  const uint32_t present = hz_parcel_get32(in);
  uint32_t size = 0;
  const uint8_t *buffer = present ? hz_parcel_get_object(in, &size) : NULL;
  hz_queue_set_buffer(&layer->queue, slot, buffer, size);
}

static void query(hz_parcel_in *in, hz_parcel_out *out) {
  static const uint32_t values[] = {[QUERY_WIDTH] = HZ_SCREEN_WIDTH, [QUERY_HEIGHT] = HZ_SCREEN_HEIGHT,
                                    [QUERY_FORMAT] = RGBA8888, [QUERY_MIN_UNDEQUEUED] = 1};
  const uint32_t what = hz_parcel_get32(in);
  const bool known = what < sizeof values / sizeof *values;
  hz_parcel_put32(out, known ? values[what] : 0);
  hz_parcel_put32(out, (uint32_t)(known ? HZ_STATUS_OK : HZ_STATUS_BAD_VALUE));
}

/* False = a code that nobody implemented. */
static bool transact(hz_layer *layer, uint32_t code, hz_parcel_in *in, hz_parcel_out *out) {
  switch (code) {
    case REQUEST_BUFFER: request(layer, hz_parcel_get32(in), out); return true;
    case SET_BUFFER_COUNT: hz_parcel_put32(out, HZ_STATUS_OK); return true;
    case DEQUEUE_BUFFER: dequeue(layer, hz_parcel_get32(in) != 0, out); return true;
    case DETACH_BUFFER:
      hz_parcel_put32(out, (uint32_t)hz_queue_detach(&layer->queue, (int32_t)hz_parcel_get32(in)));
      return true;
    case QUEUE_BUFFER: queue(layer, in, out); return true;
    case CANCEL_BUFFER: hz_queue_cancel(&layer->queue, (int32_t)hz_parcel_get32(in)); return true;
    case QUERY: query(in, out); return true;
    case CONNECT: {
      hz_parcel_get32(in); /* no listener */
      const int32_t status = hz_queue_connect(&layer->queue, (int32_t)hz_parcel_get32(in));
      put_output(out, layer);
      hz_parcel_put32(out, (uint32_t)status);
      return true;
    }
    case DISCONNECT:
      hz_parcel_put32(out, (uint32_t)hz_queue_disconnect(&layer->queue, (int32_t)hz_parcel_get32(in)));
      return true;
    case SET_PREALLOCATED_BUFFER: set_buffer(layer, in); return true;
    default: return false;
  }
}

static hz_result transact_parcel(hz_instance *self, hz_request *r) {
  (void)self;
  hz_layer *layer = hz_screen_layer(hz_get32(r, 0));
  const uint64_t size = r->in_count ? r->in[0].size : 0;
  const uint8_t *bytes = hz_in(r, 0, size);
  if (!layer || !bytes) return HZ_INVALID_POINTER;
  hz_parcel_in in = hz_parcel_open(bytes, size);
  hz_parcel_out out = hz_parcel_new();
  if (!transact(layer, hz_get32(r, 4), &in, &out)) return HZ_SF_UNKNOWN_COMMAND;
  hz_screen_update_event(layer);
  const uint32_t length = hz_parcel_finish(&out);
  return hz_write_out(r, 0, out.bytes, length) ? HZ_OK : HZ_INVALID_POINTER;
}

static hz_result get_native_handle(hz_instance *self, hz_request *r) {
  (void)self;
  hz_layer *layer = hz_screen_layer(hz_get32(r, 0));
  if (!layer) return HZ_INVALID_HANDLE;
  hz_give_copy(r, layer->free_event);
  return HZ_OK;
}

static const hz_command commands[] = {
    {0, "TransactParcel", transact_parcel},
    {1, "AdjustRefcount", hz_success},
    {2, "GetNativeHandle", get_native_handle},
    {3, "TransactParcelAuto", transact_parcel},
};

HZ_INTERFACE(hz_binder, "vi.IHOSBinderDriver", commands, NULL);
