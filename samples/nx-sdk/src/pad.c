#include <nx/applet.h>
#include <nx/pad.h>
#include <nx/process.h>
#include <nx/svc.h>
#include <nx/system.h>
#include <nx/thread.h>
#include <string.h>

enum {
    SHARED_SIZE = 0x40000, TOUCH = 0x400, TOUCH_ENTRY = 0x298, KEYBOARD = 0x3800, KEYBOARD_ENTRY = 0x38,
    PADS = 0x9A00, PAD_SIZE = 0x5000, HANDHELD = 8, RINGS = 0x28, RING_SIZE = 0x350, PAD_ENTRY = 0x30,
    RING_FULL_KEY = 0, RING_HANDHELD, RING_DUAL, RING_LEFT, RING_RIGHT, RING_EXTERNAL = 6, RING_HEADER = 0x20,
    STYLES = 0x1F, CONNECTED = 1, HANDHELD_ID = 0x20, ENTRIES = 17,
};

struct state {
    uint64_t sampling, buttons;
    int32_t left_x, left_y, right_x, right_y;
    uint32_t attributes;
};

static struct nx_service hid, resource;
static nx_handle memory;
static const volatile uint8_t *shared;

static uint64_t word(const volatile uint8_t *at)
{
    return *(const volatile uint64_t *)at;
}

/* Copies the newest entry of a ring, again until the writer did not come in between; false when there is none. */
static bool newest(const volatile uint8_t *ring, size_t entry_size, void *state, size_t size)
{
    for (int i = 0; i < 8; i++) {
        if (word(ring + 0x18) == 0) return false;
        const volatile uint8_t *entry = ring + RING_HEADER + word(ring + 0x10) % ENTRIES * entry_size;
        uint64_t before = word(entry);
        for (size_t k = 0; k < size; k++) ((uint8_t *)state)[k] = entry[8 + k];
        if (word(entry) == before) return true;
    }
    return false;
}

static nx_result set_up(void)
{
    struct {
        uint32_t value, pad;
        uint64_t user;
    } styles = {STYLES, 0, nx_applet_user()}, revision = {3, 0, nx_applet_user()};
    struct nx_request r = {.command = 100, .in = &styles, .in_size = sizeof styles, .send_pid = true};
    NX_TRY(nx_call(&hid, &r));
    uint64_t user = nx_applet_user();
    uint32_t version = nx_system_version();
    struct nx_request activate = {.command = 103, .in = &user, .in_size = sizeof user, .send_pid = true};
    if (version >= NX_VERSION(5, 0, 0)) {
        revision.value = version >= NX_VERSION(18, 0, 0) ? 5 : version >= NX_VERSION(8, 0, 0) ? 3 : 1;
        activate.command = 109;
        activate.in = &revision;
        activate.in_size = sizeof revision;
    }
    NX_TRY(nx_call(&hid, &activate));
    static const uint32_t ids[] = {0, HANDHELD_ID};
    struct nx_request players = {.command = 102, .in = &user, .in_size = sizeof user, .send_pid = true,
                                 .buffers = {{ids, sizeof ids, NX_IN | NX_POINTER}}};
    NX_TRY(nx_call(&hid, &players));
    struct nx_request keyboard = {.command = 31, .in = &user, .in_size = sizeof user, .send_pid = true};
    NX_TRY(nx_call(&hid, &keyboard));
    struct nx_request touch = {.command = 11, .in = &user, .in_size = sizeof user, .send_pid = true};
    return nx_call(&hid, &touch);
}

nx_result nx_pad_open(void)
{
    uint64_t user = nx_applet_user();
    NX_TRY(nx_get_service(&hid, "hid"));
    struct nx_request r = {.in = &user, .in_size = sizeof user, .send_pid = true, .object = &resource};
    NX_TRY(nx_call(&hid, &r));
    NX_TRY(nx_call_handle(&resource, 0, &memory));
    void *view = nx_find_range(SHARED_SIZE, 12);
    if (!view) return NX_ERROR_MEMORY;
    NX_TRY(nx_map_shared_memory(memory, view, SHARED_SIZE, NX_PERMISSION_R));
    shared = view;
    return set_up();
}

void nx_pad_close(void)
{
    if (shared) nx_unmap_shared_memory(memory, (void *)shared, SHARED_SIZE);
    if (memory) nx_close_handle(memory);
    nx_close(&resource);
    nx_close(&hid);
    shared = NULL;
    memory = 0;
}

static bool read_ring(int player, int ring, struct nx_pad *pad)
{
    struct state s;
    const volatile uint8_t *at = shared + PADS + player * PAD_SIZE + RINGS + ring * RING_SIZE;
    if (!newest(at, PAD_ENTRY, &s, sizeof s) || !(s.attributes & CONNECTED)) return false;
    *pad = (struct nx_pad){true, ring == RING_HANDHELD, s.buttons, s.left_x, s.left_y, s.right_x, s.right_y};
    return true;
}

struct nx_pad nx_pad_read(void)
{
    static const struct {
        uint32_t style;
        int ring;
    } order[] = {{1u << 29, RING_EXTERNAL}, {1, RING_FULL_KEY}, {4, RING_DUAL}, {8, RING_LEFT}, {16, RING_RIGHT}};
    struct nx_pad pad = {0};
    uint32_t styles = *(const volatile uint32_t *)(shared + PADS);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (styles & order[i].style && read_ring(0, order[i].ring, &pad)) return pad;
    read_ring(HANDHELD, RING_HANDHELD, &pad);
    return pad;
}

bool nx_key_down(unsigned usage)
{
    struct {
        uint64_t sampling, modifiers, keys[4];
    } state;
    if (usage > 255 || !newest(shared + KEYBOARD, KEYBOARD_ENTRY, &state, sizeof state)) return false;
    return state.keys[usage / 64] >> usage % 64 & 1;
}

int nx_touch_read(struct nx_touch *touches, int most)
{
    struct {
        uint64_t sampling;
        int32_t count, pad;
        struct {
            uint64_t time;
            uint32_t attributes, finger;
            int32_t x, y, diameter_x, diameter_y, angle, pad;
        } touch[16];
    } state;
    if (!newest(shared + TOUCH, TOUCH_ENTRY, &state, sizeof state)) return 0;
    int count = state.count < most ? state.count : most;
    for (int i = 0; i < count; i++)
        touches[i] = (struct nx_touch){state.touch[i].finger, state.touch[i].x, state.touch[i].y};
    return count < 0 ? 0 : count;
}
