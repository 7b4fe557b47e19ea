/* A dequeue that says that the call itself is to wait, as programs of 2018 do: it comes back with the slot that the
 * display gives up, at the second picture after two were queued. */
#include "../../../samples/nx-sdk/src/producer.h"
#include "check.h"

#include <nx/system.h>

enum { CODE = 3, HEADER = 0x10, NAME = 34, WORDS = 2 + (NAME + 2) / 2 + 5 };

static int dequeue_waiting(struct nx_producer *p)
{
    static const char name[] = "android.gui.IGraphicBufferProducer";
    _Static_assert(sizeof name == NAME + 1, "its length");
    struct {
        uint32_t header[4], token, length;
        uint16_t name[NAME + 2];
        uint32_t wait, width, height, format, usage;
    } parcel = {.header = {4 * WORDS, HEADER, 0, HEADER + 4 * WORDS}, .token = 0x100, .length = NAME,
                .width = 64, .height = 64, .format = 1, .usage = 0xB00};
    for (int i = 0; i < NAME; i++) parcel.name[i] = (uint8_t)name[i];
    uint32_t in[3] = {(uint32_t)p->binder, CODE, 0}, reply[0x20] = {0};
    struct nx_request r = {.command = 3, .in = in, .in_size = sizeof in,
                           .buffers = {{&parcel, sizeof parcel, NX_IN | NX_AUTO},
                                       {reply, sizeof reply, NX_OUT | NX_AUTO}}};
    CHECK_OK(nx_call(&p->relay, &r));
    check("its status", reply[reply[1] / 4 + reply[0] / 4 - 1], 0);
    return (int)reply[reply[1] / 4];
}

void check_waiting(void)
{
    struct nx_service root = must_get("vi:m"), services;
    struct nx_producer producer = {0};
    uint32_t role = 1, window[0x40] = {0};
    char name[0x40] = "Default";
    uint64_t layer[2] = {0};
    struct {
        uint32_t flags, pad;
        uint64_t display;
    } in = {0};
    struct nx_request r = {.command = 2, .in = &role, .in_size = sizeof role, .object = &services};
    CHECK_OK(nx_call(&root, &r));
    struct nx_request open = {.command = 1010, .in = name, .in_size = sizeof name, .out = &in.display, .out_size = 8};
    CHECK_OK(nx_call(&services, &open));
    struct nx_request stray = {.command = 2030, .in = &in, .in_size = sizeof in, .out = layer, .out_size = sizeof layer,
                               .buffers = {{window, sizeof window, NX_OUT | NX_ALIAS}}};
    CHECK_OK(nx_call(&services, &stray));
    CHECK_OK(nx_call_object(&services, 100, &producer.relay));
    CHECK_OK(nx_producer_open(&producer, (int32_t)window[window[1] / 4 + 2]));
    struct nx_buffer_shape shape = {.width = 64, .height = 64, .stride = 64, .pitch = 256, .bytes = 0x8000, .format = 1,
                                    .map_id = 0x7777, .color_format = 0x100532120};
    int slot = -1;
    for (int i = 0; i < 2; i++) CHECK_OK(nx_producer_offer(&producer, i, &shape));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(nx_producer_dequeue(&producer, &shape, &slot));
        check("the slot", (uint64_t)slot, (uint64_t)i);
        CHECK_OK(nx_producer_queue(&producer, slot));
    }
    int index;
    check("the event of free ones", nx_wait(&index, &producer.event, 1, 0), TIMED_OUT);
    CHECK_OK(nx_producer_dequeue(&producer, &shape, &slot));
    check("none without waiting", (uint32_t)slot, (uint32_t)PRODUCER_WOULD_BLOCK);
    uint64_t before = nx_ticks_to_ns(nx_ticks());
    check("the first again", (uint64_t)dequeue_waiting(&producer), 0);
    uint64_t ms = (nx_ticks_to_ns(nx_ticks()) - before) / 1000000;
    check("one interval at least, two at most", ms >= 16 && ms <= 33, 1);
    nx_producer_close(&producer);
    nx_close(&producer.relay);
    CHECK_OK(nx_call_plain(&services, 2031, layer, 8));
    nx_close(&services);
    nx_close(&root);
}
