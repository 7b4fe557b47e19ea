#include <nx/applet.h>
#include <nx/display.h>
#include <nx/svc.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_memory.h"
#include "producer.h"

enum { SLOTS = 2, GOB_ROWS = 8, BLOCK_ROWS = 128, GOB_BYTES = 512, KIND_GENERIC = 0xFE, FIT = 2, PARCEL_BINDER = 2 };

static struct nx_service root, services, system_display, manager_display;
static struct nx_producer producer = {0};
static uint64_t display_id, layer_id;
static nx_handle vertical_blank;
static struct nx_buffer_shape shape;
static struct nx_surface surface;
static uint8_t *buffers;
static uint32_t map_handle;
static bool seen[SLOTS];

size_t nx_block_linear(size_t x, size_t y, size_t pitch)
{
    size_t block = y / BLOCK_ROWS * (pitch / 64) + x / 64;
    size_t gob = block * (BLOCK_ROWS / GOB_ROWS) + y % BLOCK_ROWS / GOB_ROWS;
    return gob * GOB_BYTES + x % 64 / 32 * 256 + y % 8 / 2 * 64 + x % 32 / 16 * 32 + y % 2 * 16 + x % 16;
}

/* Sixteen bytes of a row lie together in both layouts. */
static void to_block_linear(uint8_t *image)
{
    const uint8_t *row = surface.pixels;
    for (size_t y = 0; y < surface.height; y++, row += surface.pitch)
        for (size_t x = 0; x < surface.pitch; x += 64) {
            uint8_t *gob = image + nx_block_linear(x, y, surface.pitch);
            memcpy(gob, row + x, 16);
            memcpy(gob + 32, row + x + 16, 16);
            memcpy(gob + 256, row + x + 32, 16);
            memcpy(gob + 288, row + x + 48, 16);
        }
}

/* What was written goes to memory, where the display reads it. */
static void flush(const uint8_t *bytes, size_t size)
{
    for (const uint8_t *line = bytes; line < bytes + size; line += 64) __asm__ volatile("dc civac, %0" : : "r"(line));
    __asm__ volatile("dsb sy" : : : "memory");
}

static nx_result open_services(void)
{
    uint32_t role = 1;
    NX_TRY(nx_get_service(&root, "vi:m"));
    struct nx_request r = {.command = 2, .in = &role, .in_size = sizeof role, .object = &services};
    NX_TRY(nx_call(&root, &r));
    NX_TRY(nx_call_object(&services, 100, &producer.relay));
    NX_TRY(nx_call_object(&services, 101, &system_display));
    NX_TRY(nx_call_object(&services, 102, &manager_display));
    char name[0x40] = "Default";
    struct nx_request open = {.command = 1010, .in = name, .in_size = sizeof name, .out = &display_id,
                              .out_size = sizeof display_id};
    return nx_call(&services, &open);
}

static nx_result open_layer(int32_t *binder)
{
    struct {
        char name[0x40];
        uint64_t layer, user;
    } in = {.name = "Default", .user = nx_applet_user()};
    uint32_t window[0x40] = {0};
    uint64_t size = 0;
    NX_TRY(nx_applet_create_layer(&layer_id));
    in.layer = layer_id;
    struct nx_request r = {.command = 2020, .in = &in, .in_size = sizeof in, .out = &size, .out_size = sizeof size,
                           .buffers = {{window, sizeof window, NX_OUT | NX_ALIAS}}, .send_pid = true};
    NX_TRY(nx_call(&services, &r));
    uint32_t offset = window[1] / 4;
    if (window[0] < 12 || offset > 0x40 - 3) return NX_ERROR_BUFFER;
    *binder = (int32_t)window[offset + PARCEL_BINDER];
    struct {
        uint32_t mode, pad;
        uint64_t layer;
    } scaling = {FIT, 0, layer_id};
    return nx_call_plain(&services, 2101, &scaling, sizeof scaling);
}

static nx_result make_buffers(uint32_t width, uint32_t height, enum nx_format format)
{
    uint32_t pixel = format == NX_RGB565 ? 2 : 4, pitch = width * pixel;
    uint32_t rows = (height + BLOCK_ROWS - 1) / BLOCK_ROWS * BLOCK_ROWS;
    shape = (struct nx_buffer_shape){.width = width, .height = height, .stride = width, .pitch = pitch,
                                     .bytes = pitch * rows, .format = format,
                                     .color_format = format == NX_RGB565 ? 0x10A881210 : 0x100532120};
    uint32_t all = (shape.bytes * SLOTS + 0x1FFFF) & ~0x1FFFFu;
    buffers = aligned_alloc(0x20000, all);
    surface = (struct nx_surface){calloc(height, pitch), width, height, pitch};
    if (!buffers || !surface.pixels || pitch % 64) return NX_ERROR_MEMORY;
    memset(buffers, 0, all);
    NX_TRY(nx_gpu_share(buffers, all, KIND_GENERIC, &map_handle, &shape.map_id));
    for (int slot = 0; slot < SLOTS; slot++) {
        shape.offset = (uint32_t)slot * shape.bytes;
        NX_TRY(nx_producer_offer(&producer, slot, &shape));
        seen[slot] = false;
    }
    return 0;
}

nx_result nx_display_open(uint32_t width, uint32_t height, enum nx_format format)
{
    int32_t binder;
    NX_TRY(open_services());
    NX_TRY(open_layer(&binder));
    NX_TRY(nx_producer_open(&producer, binder));
    struct nx_request r = {.command = 5202, .in = &display_id, .in_size = sizeof display_id};
    NX_TRY(nx_call(&services, &r));
    vertical_blank = r.copied[0];
    NX_TRY(nx_gpu_open(nx_applet_user()));
    return make_buffers(width, height, format);
}

struct nx_surface nx_display_surface(void)
{
    return surface;
}

static nx_result take_buffer(int *slot)
{
    for (;;) {
        NX_TRY(nx_producer_dequeue(&producer, &shape, slot));
        if (*slot >= 0 && *slot < SLOTS) return 0;
        if (*slot != PRODUCER_WOULD_BLOCK) return NX_ERROR_BUFFER;
        NX_TRY(nx_wait(NULL, &producer.event, 1, NX_FOREVER));
    }
}

nx_result nx_display_present(void)
{
    int slot = 0;
    NX_TRY(take_buffer(&slot));
    if (!seen[slot]) NX_TRY(nx_producer_request(&producer, slot));
    seen[slot] = true;
    uint8_t *image = buffers + (size_t)slot * shape.bytes;
    to_block_linear(image);
    flush(image, shape.bytes);
    return nx_producer_queue(&producer, slot);
}

nx_result nx_display_wait(void)
{
    nx_result result = nx_reset_signal(vertical_blank); /* one that passed while nobody looked does not count */
    if (result && result != NX_ERROR_NOT_SIGNALLED) return result;
    NX_TRY(nx_wait(NULL, &vertical_blank, 1, NX_FOREVER));
    return nx_reset_signal(vertical_blank);
}

void nx_display_close(void)
{
    if (!services.session) return;
    nx_producer_close(&producer);
    nx_gpu_free(map_handle);
    nx_gpu_close();
    nx_close_handle(vertical_blank);
    nx_call_plain(&services, 2021, &layer_id, sizeof layer_id);
    nx_call_plain(&services, 1020, &display_id, sizeof display_id);
    struct nx_service *parts[] = {&manager_display, &system_display, &producer.relay, &services, &root};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) nx_close(parts[i]);
    free(surface.pixels);
    free(buffers);
}
