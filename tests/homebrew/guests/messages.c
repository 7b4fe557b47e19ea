/* Requests themselves: unknown commands, domains, clones, closed objects, all kinds of buffers. */
#include "check.h"

#include <nx/process.h>

static void check_manager(void)
{
    struct nx_service service, manager = {0};
    uint64_t name = 0;
    check("a service that is not there", nx_get_service(&service, "nothere"), 0xE15);
    CHECK_OK(nx_connect_port(&manager.session, "sm:"));
    struct nx_request r = {.command = 1, .in = &name, .in_size = sizeof name, .object = &service};
    check("before registration", nx_call(&manager, &r), 0x415);
    nx_close(&manager);
}

static void check_sessions(void)
{
    struct nx_service service = must_get("set"), copy;
    check("an unknown command", ask(&service, 9999), UNKNOWN_COMMAND);
    CHECK_OK(nx_clone(&service, &copy));
    check("the clone answers", ask_long(&copy, 0) == ask_long(&service, 0), 1);
    nx_handle session = service.session;
    nx_close(&service);
    check("a closed session", nx_send_request(session), INVALID_HANDLE);
    check("its clone lives", ask_word(&copy, 3) != 0, 1);
    nx_close(&copy);
}

static void check_domains(void)
{
    struct nx_service service = must_get("fsp-srv"), card, again;
    uint64_t placeholder = 0;
    uint32_t type = 9;
    CHECK_OK(nx_make_domain(&service));
    check("the first object is 1", service.object, 1);
    struct nx_request r = {.command = 1, .in = &placeholder, .in_size = sizeof placeholder, .send_pid = true};
    CHECK_OK(nx_call(&service, &r));
    CHECK_OK(nx_call_object(&service, 18, &card));
    CHECK_OK(nx_call_object(&service, 18, &again));
    check("objects differ", card.object != again.object, 1);
    char path[0x301] = "/";
    struct nx_request kind = {.command = 7, .out = &type, .out_size = sizeof type,
                              .buffers = {{path, sizeof path, NX_IN | NX_POINTER}}};
    CHECK_OK(nx_call(&card, &kind));
    check("the root is a folder", type, 0);
    struct nx_service gone = card;
    nx_close(&card);
    check("a closed object", nx_call(&gone, &kind) != 0, 1);
    CHECK_OK(nx_call(&again, &kind));
    check("an unknown command of an object", ask(&again, 9999), UNKNOWN_COMMAND);
    nx_close(&again);
    nx_close(&service);
}

/* The same text by way of the pointer buffer and by way of a mapped buffer. */
static void check_buffers(void)
{
    struct nx_service random = must_get("csrng");
    uint8_t small[16] = {0}, large[0x2000] = {0};
    struct nx_request r = {.buffers = {{large, sizeof large, NX_OUT | NX_ALIAS}}};
    CHECK_OK(nx_call(&random, &r));
    check("bytes to the end", large[0x1FFE] || large[0x1FFF], 1);
    struct nx_request few = {.buffers = {{small, 5, NX_OUT | NX_ALIAS}}};
    CHECK_OK(nx_call(&random, &few));
    check("not beyond", small[5], 0);
    nx_close(&random);
    struct nx_service settings = must_get("set");
    uint64_t mapped[32] = {0}, pointed[32] = {0};
    uint32_t first = 0, second = 0;
    settings.pointer_size = 0x1000;
    struct nx_request by_pointer = {.command = 5, .out = &first, .out_size = sizeof first,
                                    .buffers = {{pointed, sizeof pointed, NX_OUT | NX_AUTO}}};
    CHECK_OK(nx_call(&settings, &by_pointer));
    settings.pointer_size = 0;
    struct nx_request by_map = {.command = 5, .out = &second, .out_size = sizeof second,
                                .buffers = {{mapped, sizeof mapped, NX_OUT | NX_AUTO}}};
    CHECK_OK(nx_call(&settings, &by_map));
    check("as many", first, second);
    check("the same", (uint64_t)memcmp(mapped, pointed, sizeof mapped), 0);
    nx_close(&settings);
}

void check_messages(void)
{
    check_manager();
    check_sessions();
    check_domains();
    check_buffers();
}
