#include <nx/applet.h>
#include <nx/audio.h>
#include <nx/svc.h>

static struct nx_service service, out;
static nx_handle event;

nx_result nx_audio_open(void)
{
    struct {
        uint32_t rate, channels;
        uint64_t user;
    } in = {NX_AUDIO_RATE, 2 << 16, nx_applet_user()};
    uint32_t format[4] = {0};
    char name[0x100] = {0}, answer[0x100];
    NX_TRY(nx_get_service(&service, "audout:u"));
    struct nx_request r = {.command = 3, .in = &in, .in_size = sizeof in, .out = format, .out_size = sizeof format,
                           .buffers = {{name, sizeof name, NX_IN | NX_AUTO}, {answer, sizeof answer, NX_OUT | NX_AUTO}},
                           .copies = {NX_SELF_PROCESS}, .copy_count = 1, .send_pid = true, .object = &out};
    NX_TRY(nx_call(&service, &r));
    if (format[0] != NX_AUDIO_RATE || format[1] != 2 || format[2] != 2) return NX_ERROR_REPLY;
    return nx_call_handle(&out, 4, &event);
}

void nx_audio_close(void)
{
    if (event) nx_close_handle(event);
    event = 0;
    nx_close(&out);
    nx_close(&service);
}

nx_result nx_audio_start(void)
{
    return nx_call_plain(&out, 1, NULL, 0);
}

nx_result nx_audio_stop(void)
{
    return nx_call_plain(&out, 2, NULL, 0);
}

nx_result nx_audio_append(struct nx_audio_block *block)
{
    uint64_t tag = (uint64_t)(uintptr_t)block;
    struct nx_request r = {.command = 7, .in = &tag, .in_size = sizeof tag,
                           .buffers = {{block, sizeof *block, NX_IN | NX_AUTO}}};
    return nx_call(&out, &r);
}

nx_result nx_audio_released(struct nx_audio_block **block)
{
    uint64_t tag = 0;
    uint32_t count = 0;
    struct nx_request r = {.command = 8, .out = &count, .out_size = sizeof count,
                           .buffers = {{&tag, sizeof tag, NX_OUT | NX_AUTO}}};
    NX_TRY(nx_call(&out, &r));
    *block = count ? (struct nx_audio_block *)(uintptr_t)tag : NULL;
    return 0;
}

nx_result nx_audio_wait(struct nx_audio_block **block, int64_t timeout_ns)
{
    nx_reset_signal(event);
    NX_TRY(nx_audio_released(block));
    if (*block) return 0;
    NX_TRY(nx_wait(NULL, &event, 1, timeout_ns));
    return nx_audio_released(block);
}

nx_result nx_audio_contains(const struct nx_audio_block *block, bool *held)
{
    uint64_t tag = (uint64_t)(uintptr_t)block;
    uint8_t answer = 0;
    struct nx_request r = {.command = 6, .in = &tag, .in_size = sizeof tag, .out = &answer, .out_size = sizeof answer};
    NX_TRY(nx_call(&out, &r));
    *held = answer != 0;
    return 0;
}

nx_result nx_audio_count(uint32_t *count)
{
    return nx_call_out(&out, 9, count, sizeof *count);
}

nx_result nx_audio_state(uint32_t *stopped)
{
    return nx_call_out(&out, 0, stopped, sizeof *stopped);
}
