/* The display: resolution, two buffers that are taken in turn, pictures an interval apart, the driver's errors. */
#include "check.h"

#include <nx/display.h>
#include <nx/system.h>

static void check_services(void)
{
    struct nx_service root = must_get("vi:m"), services, system;
    uint32_t role = 1;
    char name[0x40] = "Default";
    uint64_t id = 0, size[2] = {0};
    int32_t logical[2] = {0};
    struct nx_request r = {.command = 2, .in = &role, .in_size = sizeof role, .object = &services};
    CHECK_OK(nx_call(&root, &r));
    struct nx_request open = {.command = 1010, .in = name, .in_size = sizeof name, .out = &id, .out_size = sizeof id};
    CHECK_OK(nx_call(&services, &open));
    struct nx_request resolution = {.command = 1102, .in = &id, .in_size = sizeof id, .out = size, .out_size = sizeof size};
    CHECK_OK(nx_call(&services, &resolution));
    check("width", size[0], 1280);
    check("height", size[1], 720);
    CHECK_OK(nx_call_object(&services, 101, &system));
    struct nx_request of_system = {.command = 1203, .in = &id, .in_size = sizeof id, .out = logical, .out_size = sizeof logical};
    CHECK_OK(nx_call(&system, &of_system));
    check("logical width", (uint64_t)logical[0], 1280);
    CHECK_OK(nx_call_plain(&services, 1020, &id, sizeof id));
    nx_close(&system);
    nx_close(&services);
    nx_close(&root);
}

static void check_driver(void)
{
    struct nx_service driver = must_get("nvdrv");
    uint32_t answer[2] = {0}, in[2] = {99, 0xC0080101}, error = 0, argument[2] = {0x1000, 0};
    uint32_t fd = 0;
    struct nx_request open = {.out = answer, .out_size = sizeof answer,
                              .buffers = {{"/dev/nvmap", 10, NX_IN | NX_ALIAS}}};
    CHECK_OK(nx_call(&driver, &open));
    fd = answer[0];
    check("the map device", answer[1], 0);
    struct nx_request wrong = {.command = 1, .in = in, .in_size = sizeof in, .out = &error, .out_size = sizeof error,
                               .buffers = {{argument, 8, NX_IN | NX_AUTO}, {argument, 8, NX_OUT | NX_AUTO}}};
    CHECK_OK(nx_call(&driver, &wrong));
    check("no such device", error != 0, 1);
    in[0] = fd;
    CHECK_OK(nx_call(&driver, &wrong));
    check("an object", error, 0);
    uint32_t get_id[2] = {0, argument[1]};
    in[1] = 0xC008010E;
    wrong.buffers[0].data = wrong.buffers[1].data = get_id;
    CHECK_OK(nx_call(&driver, &wrong));
    check("its id", error == 0 && get_id[0] != 0, 1);
    get_id[1] = 0x7777;
    CHECK_OK(nx_call(&driver, &wrong));
    check("the id of nothing", error != 0, 1);
    struct nx_request close = {.command = 2, .in = &fd, .in_size = sizeof fd, .out = &error, .out_size = sizeof error};
    CHECK_OK(nx_call(&driver, &close));
    nx_close(&driver);
}

static void paint(int tick)
{
    struct nx_surface s = nx_display_surface();
    for (uint32_t y = 0; y < s.height; y++) {
        uint32_t *row = (uint32_t *)((char *)s.pixels + (size_t)y * s.pitch);
        for (uint32_t x = 0; x < s.width; x++) row[x] = 0xFF000000 | (x * 7 + y * 3 + (uint32_t)tick * 999) % 0xFFFFFF;
    }
}

static void check_pictures(void)
{
    uint64_t last = 0;
    CHECK_OK(nx_display_wait());
    for (int tick = 0; tick < 4; tick++) {
        paint(tick);
        CHECK_OK(nx_display_present());
        CHECK_OK(nx_display_wait());
        uint64_t now = nx_ticks_to_ns(nx_ticks()), interval = now - last;
        if (last) check("a sixtieth of a second", interval > 16000000 && interval < 17400000, 1);
        last = now;
    }
    /* More pictures than there are buffers: the program is held back. */
    for (int tick = 4; tick < 9; tick++) {
        paint(tick);
        CHECK_OK(nx_display_present());
    }
    uint64_t ms = (nx_ticks_to_ns(nx_ticks()) - last) / 1000000;
    check("five pictures take three intervals at least", ms >= 49, 1);
    CHECK_OK(nx_display_wait());
}

void check_display(void)
{
    check_services();
    check_driver();
    CHECK_OK(nx_display_open(320, 180, NX_RGBA8888));
    check_pictures();
    nx_display_close();
    CHECK_OK(nx_display_open(1280, 720, NX_RGB565)); /* and again, in another shape */
    CHECK_OK(nx_display_present());
    CHECK_OK(nx_display_wait());
    nx_display_close();
}
