/* nvdrv: a driver behind ioctls. Only the map device is used: no commands are ever given to the graphics processor. */
#include <nx/ipc.h>
#include <nx/svc.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_memory.h"

enum {
    TRANSFER_SIZE = 0x100000, MAP_CREATE = 0xC0080101, MAP_ALLOC = 0xC0200104, MAP_FREE = 0xC0180105,
    MAP_GET_ID = 0xC008010E, ALIGNMENT = 0x20000, DRIVER_MODULE = 348,
};

static struct nx_service driver;
static void *transfer;
static uint32_t map_device, control_device;

static nx_result driver_error(uint32_t error)
{
    return error ? NX_RESULT(DRIVER_MODULE, error & 0x1FFF) : 0;
}

static nx_result open_device(const char *path, uint32_t *fd)
{
    uint32_t answer[2] = {0};
    struct nx_request r = {.out = answer, .out_size = sizeof answer,
                           .buffers = {{path, strlen(path), NX_IN | NX_ALIAS}}};
    NX_TRY(nx_call(&driver, &r));
    *fd = answer[0];
    return driver_error(answer[1]);
}

static nx_result control(uint32_t fd, uint32_t request, void *argument, size_t size)
{
    uint32_t in[2] = {fd, request}, error = 0;
    struct nx_request r = {.command = 1, .in = in, .in_size = sizeof in, .out = &error, .out_size = sizeof error,
                           .buffers = {{argument, size, NX_IN | NX_AUTO}, {argument, size, NX_OUT | NX_AUTO}}};
    NX_TRY(nx_call(&driver, &r));
    return driver_error(error);
}

static nx_result initialise(uint64_t user)
{
    nx_handle memory;
    uint32_t size = TRANSFER_SIZE, error = 0;
    transfer = aligned_alloc(NX_PAGE, TRANSFER_SIZE);
    if (!transfer) return NX_ERROR_MEMORY;
    NX_TRY(nx_create_transfer_memory(&memory, transfer, TRANSFER_SIZE, NX_PERMISSION_NONE));
    struct nx_request r = {.command = 3, .in = &size, .in_size = sizeof size, .out = &error, .out_size = sizeof error,
                           .copies = {NX_SELF_PROCESS, memory}, .copy_count = 2};
    nx_result result = nx_call(&driver, &r);
    nx_close_handle(memory);
    NX_TRY(result);
    NX_TRY(driver_error(error));
    struct nx_request set_user = {.command = 8, .in = &user, .in_size = sizeof user, .out = &error,
                                  .out_size = sizeof error, .send_pid = true};
    return nx_call(&driver, &set_user);
}

nx_result nx_gpu_open(uint64_t user)
{
    NX_TRY(nx_get_service(&driver, "nvdrv"));
    NX_TRY(initialise(user));
    NX_TRY(open_device("/dev/nvmap", &map_device));
    return open_device("/dev/nvhost-ctrl", &control_device);
}

nx_result nx_gpu_share(void *address, uint32_t size, uint32_t kind, uint32_t *handle, uint32_t *id)
{
    uint32_t create[2] = {size, 0};
    NX_TRY(control(map_device, MAP_CREATE, create, sizeof create));
    *handle = create[1];
    struct {
        uint32_t handle, heap, flags, alignment, kind, pad;
        uint64_t address;
    } alloc = {*handle, 0, 1, ALIGNMENT, kind, 0, (uint64_t)(uintptr_t)address};
    NX_TRY(control(map_device, MAP_ALLOC, &alloc, sizeof alloc));
    uint32_t get_id[2] = {0, *handle};
    NX_TRY(control(map_device, MAP_GET_ID, get_id, sizeof get_id));
    *id = get_id[0];
    return 0;
}

nx_result nx_gpu_free(uint32_t handle)
{
    struct {
        uint32_t handle, pad;
        uint64_t address;
        uint32_t size, flags;
    } argument = {.handle = handle};
    return control(map_device, MAP_FREE, &argument, sizeof argument);
}

static void close_device(uint32_t fd)
{
    uint32_t error;
    struct nx_request r = {.command = 2, .in = &fd, .in_size = sizeof fd, .out = &error, .out_size = sizeof error};
    nx_call(&driver, &r);
}

/* The driver lends the transfer memory until its session is gone; only then is it the heap's again. */
void nx_gpu_close(void)
{
    struct nx_memory_info info;
    close_device(control_device);
    close_device(map_device);
    nx_close(&driver);
    while (transfer && !nx_query_memory(&info, transfer) && (info.permission & NX_PERMISSION_RW) != NX_PERMISSION_RW)
        nx_sleep(1000000);
    free(transfer);
    transfer = NULL;
}
