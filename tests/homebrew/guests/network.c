/* There is no network: sockets and connections are refused, and say so. */
#include "check.h"

static void check_sockets(void)
{
    struct nx_service bsd = must_get("bsd:u");
    uint32_t config[8] = {0}, in[3] = {2, 1, 0};
    struct {
        int32_t value;
        uint32_t error;
    } answer = {0};
    uint64_t pid = 0;
    struct nx_request registration = {.in = config, .in_size = sizeof config, .out = &pid, .out_size = sizeof pid,
                                      .send_pid = true};
    CHECK_OK(nx_call(&bsd, &registration));
    struct nx_request socket = {.command = 2, .in = in, .in_size = sizeof in, .out = &answer, .out_size = sizeof answer};
    CHECK_OK(nx_call(&bsd, &socket));
    check("no socket", (uint32_t)answer.value, 0xFFFFFFFF);
    check("and a reason", answer.error != 0, 1);
    nx_close(&bsd);
}

static void check_connection(void)
{
    struct nx_service nifm = must_get("nifm:u"), general;
    uint64_t placeholder = 0;
    uint32_t address = 0;
    struct nx_request r = {.command = 5, .in = &placeholder, .in_size = sizeof placeholder, .send_pid = true,
                           .object = &general};
    nx_result result = nx_call(&nifm, &r);
    if (!result) {
        check("no address", nx_call_out(&general, 12, &address, sizeof address) != 0, 1);
        nx_close(&general);
    }
    nx_close(&nifm);
}

static void check_logger(void)
{
    struct nx_service lm = must_get("lm"), logger;
    uint64_t placeholder = 0;
    struct nx_request r = {.in = &placeholder, .in_size = sizeof placeholder, .send_pid = true, .object = &logger};
    CHECK_OK(nx_call(&lm, &r));
    static const char packet[0x20] = {0};
    struct nx_request log = {.buffers = {{packet, sizeof packet, NX_IN | NX_AUTO}}};
    CHECK_OK(nx_call(&logger, &log));
    nx_close(&logger);
    nx_close(&lm);
}

void check_network(void)
{
    check_sockets();
    check_connection();
    check_logger();
}
