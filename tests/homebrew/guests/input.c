/* hid: commands, the shared memory's map, and an entry a tick. */
#include "check.h"

#include <nx/applet.h>
#include <nx/pad.h>
#include <nx/thread.h>

static void check_commands(void)
{
    static const uint32_t commands[] = {1, 11, 21, 31, 91, 103, 104, 120, 122, 123, 124, 1000};
    struct nx_service hid = must_get("hid");
    struct {
        uint64_t user, more[3];
    } in = {nx_applet_user(), {0}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char name[24];
        snprintf(name, sizeof name, "hid %u", commands[i]);
        struct nx_request r = {.command = commands[i], .in = &in, .in_size = sizeof in, .send_pid = true};
        check(name, nx_call(&hid, &r), 0);
    }
    struct {
        uint32_t id, pad;
        uint64_t user, extra;
    } style = {0, 0, nx_applet_user(), 0};
    struct nx_request event = {.command = 106, .in = &style, .in_size = sizeof style, .send_pid = true};
    CHECK_OK(nx_call(&hid, &event));
    check("an event", event.copied[0] != 0, 1);
    nx_close_handle(event.copied[0]);
    uint32_t device = 3, facts[2] = {0};
    struct nx_request vibration = {.command = 200, .in = &device, .in_size = sizeof device, .out = facts,
                                   .out_size = sizeof facts};
    CHECK_OK(nx_call(&hid, &vibration));
    struct nx_service list;
    CHECK_OK(nx_call_object(&hid, 203, &list));
    CHECK_OK(nx_call_plain(&list, 0, &device, sizeof device));
    nx_close(&list);
    nx_close(&hid);
}

static void check_memory_map(void)
{
    struct nx_service hid = must_get("hid"), resource;
    uint64_t user = nx_applet_user();
    nx_handle memory = 0;
    struct nx_request r = {.in = &user, .in_size = sizeof user, .send_pid = true, .object = &resource};
    CHECK_OK(nx_call(&hid, &r));
    CHECK_OK(nx_call_handle(&resource, 0, &memory));
    char *view = nx_find_range(0x40000, 12);
    check("map half of it", nx_map_shared_memory(memory, view, 0x20000, 1), INVALID_SIZE);
    check("at an odd address", nx_map_shared_memory(memory, view + 1, 0x40000, 1), INVALID_ADDRESS);
    CHECK_OK(nx_map_shared_memory(memory, view, 0x40000, 1));
    struct nx_memory_info info;
    CHECK_OK(nx_query_memory(&info, view));
    check("shared memory", info.type, 6);
    check("read-only", info.permission, 1);
    check("on top of it", nx_map_shared_memory(memory, view, 0x40000, 1), INVALID_STATE);
    const volatile uint64_t *ring = (const volatile uint64_t *)(view + 0x9A00 + 0x28);
    check("a ring of 17", ring[1], 17);
    uint64_t tail = ring[2], before = *(const volatile uint64_t *)((const volatile char *)(ring + 4) + tail % 17 * 0x30);
    check("one entry at least", ring[3] >= 1, 1);
    nx_sleep(17000000);
    tail = ring[2];
    uint64_t after = *(const volatile uint64_t *)((const volatile char *)(ring + 4) + tail % 17 * 0x30);
    check("one entry a tick", after - before >= 1 && after - before <= 2, 1);
    CHECK_OK(nx_unmap_shared_memory(memory, view, 0x40000));
    check("unmap it again", nx_unmap_shared_memory(memory, view, 0x40000), INVALID_STATE);
    nx_close_handle(memory);
    nx_close(&resource);
    nx_close(&hid);
}

/* The test's script presses A in tick 1 and never lets go, and Up in tick 3. */
static void check_pad(void)
{
    CHECK_OK(nx_pad_open());
    nx_sleep(100000000);
    struct nx_pad pad = nx_pad_read();
    check("a pad", pad.connected, 1);
    check("A and Up", pad.buttons & 0xFFFF, NX_A | NX_UP);
    check("no finger", (uint64_t)nx_touch_read(NULL, 0), 0);
    check("no key", nx_key_down(4), 0);
    nx_pad_close();
}

void check_input(void)
{
    check_commands();
    check_memory_map();
    check_pad();
}
