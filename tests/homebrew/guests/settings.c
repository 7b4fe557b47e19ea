#include "check.h"

#include <nx/system.h>

static void check_language(void)
{
    struct nx_service set = must_get("set");
    uint64_t codes[32] = {0}, us = 0x53552D6E65, ja = 0x616A; /* "en-US", "ja" */
    uint32_t count = 0;
    check("language", ask_long(&set, 0), us);
    struct nx_request r = {.command = 1, .out = &count, .out_size = sizeof count,
                           .buffers = {{codes, sizeof codes, NX_OUT | NX_POINTER}}};
    CHECK_OK(nx_call(&set, &r));
    check("the first", codes[0], ja);
    check("the second", codes[1], us);
    check("at least fifteen", count >= 15, 1);
    check("how many", ask_word(&set, 3) >= 15, 1);
    check("region", ask_word(&set, 4), 1);
    nx_close(&set);
}

static void check_system(void)
{
    struct nx_service system = must_get("set:sys");
    for (uint32_t command = 3; command <= 4; command++) {
        uint8_t record[0x100] = {0};
        struct nx_request r = {.command = command,
                               .buffers = {{record, sizeof record, NX_OUT | NX_POINTER | NX_FIXED}}};
        CHECK_OK(nx_call(&system, &r));
        check("version", NX_VERSION(record[0], record[1], record[2]), nx_system_version());
        check("its text", record[0x68] == '0' + record[0] % 10 && record[0x69] == '.', 1);
    }
    check("colours", ask_word(&system, 23), 0);
    char names[2][0x48] = {"nothing", "here"};
    uint64_t size = 0;
    struct nx_request item = {.command = 37, .out = &size, .out_size = sizeof size,
                              .buffers = {{names[0], 0x48, NX_IN | NX_POINTER}, {names[1], 0x48, NX_IN | NX_POINTER}}};
    check("a setting that is not there", nx_call(&system, &item) != 0, 1);
    nx_close(&system);
}

static void check_performance(void)
{
    struct nx_service apm = must_get("apm"), session;
    uint32_t mode = 0, configuration = 0, set[2] = {0, 0x20004};
    check("performance mode", ask_word(&apm, 1), 0);
    CHECK_OK(nx_call_object(&apm, 0, &session));
    CHECK_OK(nx_call_plain(&session, 0, set, sizeof set));
    struct nx_request r = {.command = 1, .in = &mode, .in_size = sizeof mode, .out = &configuration,
                           .out_size = sizeof configuration};
    CHECK_OK(nx_call(&session, &r));
    check("configuration", configuration, 0x20004);
    nx_close(&session);
    nx_close(&apm);
}

static void check_power(void)
{
    struct nx_service psm = must_get("psm"), session;
    nx_handle event = 0;
    check("charge in percent", ask_word(&psm, 0) <= 100, 1);
    check("charger", ask_word(&psm, 1) <= 2, 1);
    CHECK_OK(nx_call_object(&psm, 7, &session));
    CHECK_OK(nx_call_handle(&session, 0, &event));
    nx_close_handle(event);
    nx_close(&session);
    nx_close(&psm);
}

void check_settings(void)
{
    check_language();
    check_system();
    check_performance();
    check_power();
}
