#include <nx/ipc.h>
#include <nx/process.h>
#include <nx/svc.h>
#include <nx/system.h>
#include <nx/thread.h>
#include <string.h>

enum { SHARED_SIZE = 0x1000, STEADY = 0x00, USER_CLOCK = 0x38, CLOCK_MISMATCH = NX_RESULT(116, 102) };

static struct nx_service clock_services, user_clock, zones;
static nx_handle memory;
static const volatile uint8_t *shared;

uint32_t nx_system_version(void)
{
    if (nx_environment.system_version) return nx_environment.system_version;
    struct nx_service settings;
    uint8_t record[0x100] = {0};
    struct nx_request r = {.command = 3,
                           .buffers = {{record, sizeof record, NX_OUT | NX_POINTER | NX_FIXED}}};
    if (nx_get_service(&settings, "set:sys")) return 0;
    if (!nx_call(&settings, &r)) nx_environment.system_version = NX_VERSION(record[0], record[1], record[2]);
    nx_close(&settings);
    return nx_environment.system_version;
}

uint64_t nx_ticks(void)
{
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntpct_el0" : "=r"(ticks));
    return ticks;
}

uint64_t nx_ticks_to_ns(uint64_t ticks)
{
    return ticks * 625 / 12;
}

nx_result nx_time_open(void)
{
    NX_TRY(nx_get_service(&clock_services, "time:u"));
    NX_TRY(nx_call_object(&clock_services, 0, &user_clock));
    NX_TRY(nx_call_object(&clock_services, 3, &zones));
    if (nx_system_version() < NX_VERSION(6, 0, 0)) return 0;
    NX_TRY(nx_call_handle(&clock_services, 20, &memory));
    void *view = nx_find_range(SHARED_SIZE, 12);
    if (!view) return NX_ERROR_MEMORY;
    NX_TRY(nx_map_shared_memory(memory, view, SHARED_SIZE, NX_PERMISSION_R));
    shared = view;
    return 0;
}

void nx_time_close(void)
{
    if (shared) nx_unmap_shared_memory(memory, (void *)shared, SHARED_SIZE);
    if (memory) nx_close_handle(memory);
    shared = NULL;
    memory = 0;
    nx_close(&zones);
    nx_close(&user_clock);
    nx_close(&clock_services);
}

nx_result nx_time_now(uint64_t *seconds)
{
    return nx_call_out(&user_clock, 0, seconds, sizeof *seconds);
}

/* An object has two copies and a counter that says which is whole. */
static void read_shared(size_t at, void *copy, size_t size)
{
    uint32_t counter;
    do {
        counter = *(const volatile uint32_t *)(shared + at);
        for (size_t i = 0; i < size; i++) ((uint8_t *)copy)[i] = shared[at + 8 + (counter & 1) * size + i];
    } while (*(const volatile uint32_t *)(shared + at) != counter);
}

nx_result nx_time_now_shared(uint64_t *seconds)
{
    struct {
        int64_t base;
        uint8_t id[16];
    } steady;
    struct {
        int64_t offset, point;
        uint8_t id[16];
    } context;
    if (!shared) return CLOCK_MISMATCH;
    read_shared(STEADY, &steady, sizeof steady);
    read_shared(USER_CLOCK, &context, sizeof context);
    if (memcmp(steady.id, context.id, sizeof steady.id) != 0) return CLOCK_MISMATCH;
    *seconds = (uint64_t)context.offset + ((uint64_t)steady.base + nx_ticks_to_ns(nx_ticks())) / 1000000000;
    return 0;
}

nx_result nx_time_calendar(uint64_t seconds, struct nx_calendar *calendar)
{
    struct nx_request r = {.command = 101, .in = &seconds, .in_size = sizeof seconds, .out = calendar,
                           .out_size = sizeof *calendar};
    return nx_call(&zones, &r);
}

nx_result nx_time_from_calendar(const struct nx_calendar *calendar, uint64_t *seconds)
{
    uint64_t found[2] = {0};
    uint32_t count = 0;
    struct nx_request r = {.command = 202, .in = calendar, .in_size = 8, .out = &count, .out_size = sizeof count,
                           .buffers = {{found, sizeof found, NX_OUT | NX_POINTER}}};
    NX_TRY(nx_call(&zones, &r));
    *seconds = found[0];
    return count ? 0 : CLOCK_MISMATCH;
}

nx_result nx_language(uint64_t *code)
{
    struct nx_service settings;
    NX_TRY(nx_get_service(&settings, "set"));
    nx_result result = nx_call_out(&settings, 0, code, sizeof *code);
    nx_close(&settings);
    return result;
}
