#include <nx/applet.h>
#include <nx/svc.h>

enum { NO_MESSAGES = NX_RESULT(128, 3), BUSY = NX_RESULT(128, 201), IN_FOCUS = 1 };

static struct nx_service applet, proxy, common, self, window, functions;
static nx_handle message_event;
static uint64_t user;
static bool leaving;

static nx_result open_proxy(void)
{
    NX_TRY(nx_get_service(&applet, "appletOE"));
    NX_TRY(nx_make_domain(&applet));
    uint64_t placeholder = 0;
    for (;;) {
        struct nx_request r = {.in = &placeholder, .in_size = sizeof placeholder, .send_pid = true,
                               .copies = {NX_SELF_PROCESS}, .copy_count = 1, .object = &proxy};
        nx_result result = nx_call(&applet, &r);
        if (result != BUSY) return result;
        nx_sleep(100000000);
    }
}

static nx_result open_parts(void)
{
    NX_TRY(nx_call_object(&proxy, 20, &functions));
    NX_TRY(nx_call_object(&proxy, 0, &common));
    NX_TRY(nx_call_object(&proxy, 1, &self));
    return nx_call_object(&proxy, 2, &window);
}

/* Messages arrive until the program has the focus. */
static nx_result wait_for_focus(void)
{
    uint8_t state = 0;
    for (;;) {
        NX_TRY(nx_call_out(&common, 9, &state, sizeof state));
        if (state == IN_FOCUS) return 0;
        NX_TRY(nx_wait(NULL, &message_event, 1, NX_FOREVER));
        uint32_t message = 0;
        nx_result result = nx_call_out(&common, 1, &message, sizeof message);
        if (result && result != NO_MESSAGES) return result;
    }
}

static nx_result say_wishes(void)
{
    static const uint8_t focus_handling[3] = {0, 0, 1}, yes = 1, no = 0;
    NX_TRY(nx_call_plain(&self, 13, focus_handling, sizeof focus_handling));
    NX_TRY(nx_call_plain(&self, 16, &no, sizeof no));
    uint8_t accepted = 0;
    NX_TRY(nx_call_out(&functions, 40, &accepted, sizeof accepted)); /* NotifyRunning */
    NX_TRY(nx_call_plain(&self, 11, &yes, sizeof yes));
    return nx_call_plain(&self, 12, &yes, sizeof yes);
}

nx_result nx_applet_open(void)
{
    NX_TRY(open_proxy());
    NX_TRY(open_parts());
    NX_TRY(nx_call_out(&window, 1, &user, sizeof user));
    NX_TRY(nx_call_handle(&common, 0, &message_event));
    NX_TRY(wait_for_focus());
    NX_TRY(nx_call_plain(&window, 10, NULL, 0));
    return say_wishes();
}

bool nx_applet_loop(void)
{
    uint32_t message = 0;
    while (!nx_call_out(&common, 1, &message, sizeof message))
        if (message == NX_MESSAGE_EXIT) leaving = true;
    return !leaving;
}

uint64_t nx_applet_user(void)
{
    return user;
}

bool nx_applet_docked(void)
{
    uint8_t mode = 0;
    nx_call_out(&common, 5, &mode, sizeof mode);
    return mode == 1;
}

nx_result nx_applet_create_layer(uint64_t *layer)
{
    return nx_call_out(&self, 40, layer, sizeof *layer);
}

void nx_applet_close(void)
{
    if (message_event) nx_close_handle(message_event);
    message_event = 0;
    struct nx_service *parts[] = {&functions, &window, &self, &common, &proxy, &applet};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) nx_close(parts[i]);
}
