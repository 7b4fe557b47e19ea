/* The program's proxies: each part asked, then the SDK's own start. */
#include "check.h"

#include <nx/applet.h>

static struct nx_service open_proxy(struct nx_service *root)
{
    uint64_t placeholder = 0;
    struct nx_service proxy = {0};
    *root = must_get("appletOE");
    CHECK_OK(nx_make_domain(root));
    struct nx_request r = {.in = &placeholder, .in_size = sizeof placeholder, .send_pid = true,
                           .copies = {NX_SELF_PROCESS}, .copy_count = 1, .object = &proxy};
    CHECK_OK(nx_call(root, &r));
    return proxy;
}

static void check_common(struct nx_service *proxy)
{
    struct nx_service common;
    nx_handle event = 0;
    uint32_t message = 0;
    int32_t size[2] = {0};
    int index;
    CHECK_OK(nx_call_object(proxy, 0, &common));
    CHECK_OK(nx_call_handle(&common, 0, &event));
    CHECK_OK(nx_wait(&index, &event, 1, 0));
    CHECK_OK(nx_call_out(&common, 1, &message, sizeof message));
    check("the focus came", message, NX_MESSAGE_FOCUS);
    check("no further message", nx_call_out(&common, 1, &message, sizeof message), 0x680);
    check("the event is over", nx_wait(&index, &event, 1, 0), TIMED_OUT);
    check("handheld", ask_byte(&common, 5), 0);
    check("normal", ask_word(&common, 6), 0);
    check("boot mode", ask_word(&common, 8), 0);
    check("in focus", ask_byte(&common, 9), 1);
    check("no VR", ask_byte(&common, 50), 0);
    CHECK_OK(nx_call_out(&common, 60, size, sizeof size));
    check("width", (uint64_t)size[0], 1280);
    check("height", (uint64_t)size[1], 720);
    nx_close_handle(event);
    nx_close(&common);
}

static void check_self(struct nx_service *proxy)
{
    static const uint8_t bytes[4] = {1, 0, 0, 0};
    static const uint32_t commands[] = {1, 2, 3, 4, 10, 11, 12, 13, 14, 16, 19, 50, 60, 61, 62, 65, 68};
    struct nx_service self;
    nx_handle event = 0;
    CHECK_OK(nx_call_object(proxy, 1, &self));
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char name[24];
        snprintf(name, sizeof name, "self %u", commands[i]);
        check(name, nx_call_plain(&self, commands[i], bytes, sizeof bytes), 0);
    }
    check("a layer", ask_long(&self, 40) != 0, 1);
    check("no suspension", ask_long(&self, 90), 0);
    CHECK_OK(nx_call_handle(&self, 91, &event));
    nx_close_handle(event);
    CHECK_OK(nx_call_handle(&self, 9, &event));
    nx_close_handle(event);
    nx_close(&self);
}

static void check_parts(struct nx_service *proxy)
{
    static const uint32_t parts[] = {3, 4, 11, 1000};
    struct nx_service window, functions, part;
    uint64_t words[2] = {0};
    CHECK_OK(nx_call_object(proxy, 2, &window));
    check("a user id", ask_long(&window, 1) != 0, 1);
    CHECK_OK(ask(&window, 10));
    nx_close(&window);
    CHECK_OK(nx_call_object(proxy, 20, &functions));
    check("running", ask_byte(&functions, 40), 1);
    check("language", ask_long(&functions, 21), 0x53552D6E65);
    CHECK_OK(nx_call_out(&functions, 50, words, sizeof words));
    uint32_t kind = 1;
    struct nx_request r = {.command = 1, .in = &kind, .in_size = sizeof kind, .object = &part};
    check("no launch parameter", nx_call(&functions, &r) != 0, 1);
    nx_close(&functions);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[24];
        snprintf(name, sizeof name, "part %u", parts[i]);
        check(name, nx_call_object(proxy, parts[i], &part), 0);
        nx_close(&part);
    }
}

void check_applet(void)
{
    struct nx_service root, proxy = open_proxy(&root);
    check_common(&proxy);
    check_self(&proxy);
    check_parts(&proxy);
    nx_close(&proxy);
    nx_close(&root);
    CHECK_OK(nx_applet_open());
    check("go on", nx_applet_loop(), 1);
    check("not docked", nx_applet_docked(), 0);
}
