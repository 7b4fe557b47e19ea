#include "producer.h"

#include <nx/svc.h>
#include <string.h>

enum {
    REQUEST_BUFFER = 1, DEQUEUE = 3, QUEUE = 7, CONNECT = 10, DISCONNECT = 11, PREALLOCATED = 14,
    PARCEL_SIZE = 0x400, HEADER = 0x10, USAGE = 0xB00, API_CPU = 2, GRAPHIC_BUFFER = 0x47424652, NATIVE = 0xDAFFCAFF,
    BLOCK_LINEAR = 3, KIND_GENERIC = 0xFE, LOG2_BLOCK_GOBS = 4, INTS = 0x51, OWNER = 42, TRANSACT = 3,
};

struct parcel {
    size_t at; /* of the next word in `bytes` */
    uint8_t bytes[PARCEL_SIZE];
};

static void put(struct parcel *p, const void *bytes, size_t size)
{
    memcpy(p->bytes + p->at, bytes, size);
    p->at += (size + 3) & ~(size_t)3;
}

static void put_word(struct parcel *p, uint32_t word)
{
    put(p, &word, sizeof word);
}

static void put_flat(struct parcel *p, const void *bytes, uint32_t size)
{
    put_word(p, size);
    put_word(p, 0); /* no file descriptors */
    put(p, bytes, size);
}

static uint32_t get_word(struct parcel *p)
{
    uint32_t word;
    memcpy(&word, p->bytes + p->at, sizeof word);
    p->at += 4;
    return word;
}

static void begin(struct parcel *p)
{
    static const char name[] = "android.gui.IGraphicBufferProducer";
    uint16_t wide[sizeof name];
    for (size_t i = 0; i < sizeof name; i++) wide[i] = (uint8_t)name[i];
    *p = (struct parcel){.at = HEADER};
    put_word(p, 0x100);
    put_word(p, sizeof name - 1);
    put(p, wide, sizeof wide);
}

/* The request becomes the reply, read from its first word. */
static nx_result transact(struct nx_producer *p, uint32_t code, struct parcel *parcel)
{
    uint32_t header[4] = {(uint32_t)parcel->at - HEADER, HEADER, 0, (uint32_t)parcel->at};
    memcpy(parcel->bytes, header, sizeof header);
    struct parcel reply = {0};
    uint32_t in[3] = {(uint32_t)p->binder, code, 0};
    struct nx_request r = {.command = TRANSACT, .in = in, .in_size = sizeof in,
                           .buffers = {{parcel->bytes, parcel->at, NX_IN | NX_AUTO},
                                       {reply.bytes, sizeof reply.bytes, NX_OUT | NX_AUTO}}};
    NX_TRY(nx_call(&p->relay, &r));
    *parcel = reply;
    memcpy(header, parcel->bytes, sizeof header);
    if (header[1] > PARCEL_SIZE || header[0] > PARCEL_SIZE - header[1]) return NX_ERROR_BUFFER;
    parcel->at = header[1];
    return 0;
}

static nx_result adjust(struct nx_producer *p, int32_t change, int32_t strong)
{
    int32_t in[3] = {p->binder, change, strong};
    return nx_call_plain(&p->relay, 1, in, sizeof in);
}

nx_result nx_producer_open(struct nx_producer *p, int32_t binder)
{
    p->binder = binder;
    NX_TRY(adjust(p, 1, 0));
    NX_TRY(adjust(p, 1, 1));
    uint32_t in[2] = {(uint32_t)binder, 15};
    struct nx_request r = {.command = 2, .in = in, .in_size = sizeof in};
    NX_TRY(nx_call(&p->relay, &r));
    p->event = r.copied[0];
    struct parcel parcel;
    begin(&parcel);
    put_word(&parcel, 0); /* no listener */
    put_word(&parcel, API_CPU);
    put_word(&parcel, 0);
    NX_TRY(transact(p, CONNECT, &parcel));
    for (int i = 0; i < 4; i++) get_word(&parcel);
    return get_word(&parcel) ? NX_ERROR_BUFFER : 0;
}

void nx_producer_close(struct nx_producer *p)
{
    struct parcel parcel;
    begin(&parcel);
    put_word(&parcel, API_CPU);
    transact(p, DISCONNECT, &parcel);
    adjust(p, -1, 1);
    adjust(p, -1, 0);
    nx_close_handle(p->event);
}

/* A buffer as the compositor is told of it: ten words, then 81 of the driver's. */
static void describe(uint32_t words[10 + INTS], const struct nx_buffer_shape *s)
{
    memset(words, 0, (10 + INTS) * sizeof *words);
    uint32_t head[10] = {GRAPHIC_BUFFER, s->width, s->height, s->stride, s->format, USAGE, OWNER, 0, 0, INTS};
    memcpy(words, head, sizeof head);
    uint32_t *ints = words + 10;
    ints[0] = 0xFFFFFFFF;
    ints[1] = s->map_id;
    ints[3] = NATIVE;
    ints[4] = OWNER;
    ints[6] = USAGE;
    ints[7] = ints[8] = s->format;
    ints[9] = s->stride;
    ints[10] = s->bytes;
    ints[11] = 1; /* planes */
    uint32_t *plane = ints + 13;
    plane[0] = s->width;
    plane[1] = s->height;
    memcpy(plane + 2, &s->color_format, 8);
    plane[4] = BLOCK_LINEAR;
    plane[5] = s->pitch;
    plane[7] = s->offset;
    plane[8] = KIND_GENERIC;
    plane[9] = LOG2_BLOCK_GOBS;
    uint64_t size = s->bytes;
    memcpy(plane + 14, &size, sizeof size);
}

nx_result nx_producer_offer(struct nx_producer *p, int slot, const struct nx_buffer_shape *shape)
{
    uint32_t words[10 + INTS];
    struct parcel parcel;
    describe(words, shape);
    begin(&parcel);
    put_word(&parcel, (uint32_t)slot);
    put_word(&parcel, 1);
    put_flat(&parcel, words, sizeof words);
    return transact(p, PREALLOCATED, &parcel);
}

nx_result nx_producer_dequeue(struct nx_producer *p, const struct nx_buffer_shape *shape, int *slot)
{
    struct parcel parcel;
    begin(&parcel);
    put_word(&parcel, 1); /* do not wait */
    put_word(&parcel, shape->width);
    put_word(&parcel, shape->height);
    put_word(&parcel, shape->format);
    put_word(&parcel, USAGE);
    NX_TRY(transact(p, DEQUEUE, &parcel));
    *slot = (int)get_word(&parcel);
    if (get_word(&parcel)) {
        uint32_t length = get_word(&parcel);
        get_word(&parcel);
        parcel.at += length;
        if (length > 0x24) return NX_ERROR_BUFFER;
    }
    int32_t status = (int32_t)get_word(&parcel);
    if (status) *slot = status;
    return 0;
}

nx_result nx_producer_request(struct nx_producer *p, int slot)
{
    struct parcel parcel;
    begin(&parcel);
    put_word(&parcel, (uint32_t)slot);
    return transact(p, REQUEST_BUFFER, &parcel);
}

nx_result nx_producer_queue(struct nx_producer *p, int slot)
{
    struct {
        int64_t timestamp;
        int32_t auto_timestamp, crop[4], scaling;
        uint32_t transform, sticky, zero, interval, fence_count;
        uint32_t fences[8];
    } __attribute__((packed)) input = {.auto_timestamp = 1, .interval = 1};
    _Static_assert(sizeof input == 0x54, "the compositor's record");
    for (int i = 0; i < 8; i += 2) input.fences[i] = 0xFFFFFFFF;
    struct parcel parcel;
    begin(&parcel);
    put_word(&parcel, (uint32_t)slot);
    put_flat(&parcel, &input, sizeof input);
    NX_TRY(transact(p, QUEUE, &parcel));
    for (int i = 0; i < 4; i++) get_word(&parcel);
    return get_word(&parcel) ? NX_ERROR_BUFFER : 0;
}
