/* Handles, events, waiting, information. */
#include "check.h"

#include <nx/process.h>
#include <nx/system.h>

static void check_handles(void)
{
    nx_handle session;
    uint64_t id = 0;
    check("close an unknown handle", nx_close_handle(0x123456), INVALID_HANDLE);
    check("close handle 0", nx_close_handle(0), INVALID_HANDLE);
    check("an unknown port", nx_connect_port(&session, "nothere"), NOT_FOUND);
    check("a request to an unknown session", nx_send_request(0x123456), INVALID_HANDLE);
    check("a request to an event", nx_send_request(NX_SELF_THREAD), INVALID_HANDLE);
    CHECK_OK(nx_connect_port(&session, "sm:"));
    check("bits 30 and 31 of a handle", session >> 30, 0);
    CHECK_OK(nx_close_handle(session));
    check("close it again", nx_close_handle(session), INVALID_HANDLE);
    CHECK_OK(nx_get_process_id(&id, NX_SELF_PROCESS));
    check("the process has an id", id != 0, 1);
    check("process id of an unknown handle", nx_get_process_id(&id, 0x123456), INVALID_HANDLE);
    CHECK_OK(nx_get_thread_id(&id, NX_SELF_THREAD));
    check("thread id of an unknown handle", nx_get_thread_id(&id, 0x123456), INVALID_HANDLE);
    check("processor", nx_current_processor() < 3, 1);
}

static void check_events(void)
{
    nx_handle writer, reader, both[2];
    int index = 7;
    CHECK_OK(nx_create_event(&writer, &reader));
    check("poll an event that is not signalled", nx_wait(&index, &reader, 1, 0), TIMED_OUT);
    check("reset it", nx_reset_signal(reader), WRONG_STATE);
    CHECK_OK(nx_signal_event(writer));
    CHECK_OK(nx_wait(&index, &reader, 1, 0));
    check("index", (uint64_t)index, 0);
    CHECK_OK(nx_wait(&index, &reader, 1, NX_FOREVER)); /* waiting does not take the signal */
    CHECK_OK(nx_reset_signal(reader));
    check("reset again", nx_reset_signal(reader), WRONG_STATE);
    CHECK_OK(nx_signal_event(writer));
    CHECK_OK(nx_clear_event(reader));
    check("poll after clear", nx_wait(&index, &reader, 1, 0), TIMED_OUT);
    check("signal the readable end", nx_signal_event(reader), INVALID_HANDLE);
    check("signal an unknown handle", nx_signal_event(0x123456), INVALID_HANDLE);
    check("reset an unknown handle", nx_reset_signal(0x123456), INVALID_HANDLE);
    nx_handle other_writer, other_reader;
    CHECK_OK(nx_create_event(&other_writer, &other_reader));
    both[0] = reader;
    both[1] = other_reader;
    CHECK_OK(nx_signal_event(other_writer));
    CHECK_OK(nx_wait(&index, both, 2, NX_FOREVER));
    check("the second is signalled", (uint64_t)index, 1);
    CHECK_OK(nx_signal_event(writer));
    CHECK_OK(nx_wait(&index, both, 2, NX_FOREVER));
    check("the lowest index wins", (uint64_t)index, 0);
    both[1] = 0x123456;
    check("wait for an unknown handle", nx_wait(&index, both, 2, 0), INVALID_HANDLE);
    check("wait for too many", nx_wait(&index, both, 0x41, 0), OUT_OF_RANGE);
    nx_close_handle(writer);
    nx_close_handle(reader);
    nx_close_handle(other_writer);
    nx_close_handle(other_reader);
}

static void check_sleep(void)
{
    nx_handle writer, reader;
    int index;
    uint64_t before = nx_system_tick();
    nx_sleep(1000000);
    uint64_t slept = nx_system_tick() - before;
    check("a millisecond is 19,200 ticks", slept >= 19200 && slept < 19200 + 1920, 1);
    CHECK_OK(nx_create_event(&writer, &reader));
    before = nx_system_tick();
    check("wait two milliseconds", nx_wait(&index, &reader, 1, 2000000), TIMED_OUT);
    slept = nx_system_tick() - before;
    check("it took two milliseconds", slept >= 38400 && slept < 38400 + 1920, 1);
    before = nx_system_tick();
    check("wait for nothing a millisecond", nx_wait(&index, NULL, 0, 1000000), TIMED_OUT);
    slept = nx_system_tick() - before;
    check("it took a millisecond", slept >= 19200 && slept < 19200 + 1920, 1);
    for (int i = 0; i > -3; i--) nx_sleep(i);
    check("the counter is the same", nx_ticks() - nx_system_tick() < 19200 || nx_system_tick() - nx_ticks() < 19200, 1);
    nx_close_handle(writer);
    nx_close_handle(reader);
}

static uint64_t info(uint32_t id, uint64_t sub)
{
    uint64_t value = 0xDEADBEEF;
    char name[24];
    snprintf(name, sizeof name, "info %u", id);
    check(name, nx_get_info(&value, id, NX_SELF_PROCESS, sub), 0);
    return value;
}

static void check_info(void)
{
    uint64_t value;
    check("core mask", info(0, 0), 7);
    check("priorities 28 to 59", info(1, 0) >> 28 & 0xFFFFFFFF, 0xFFFFFFFF);
    uint64_t start = info(12, 0), end = start + info(13, 0);
    check("an address space", start < end && end <= (uint64_t)1 << 39, 1);
    for (uint32_t region = 2; region <= 14; region += region == 4 ? 10 : 2) {
        uint64_t base = info(region, 0), size = info(region + 1, 0);
        check("a region within it", base >= start && size > 0 && base + size <= end, 1);
    }
    check("the regions are apart", info(2, 0) != info(4, 0) && info(4, 0) != info(14, 0), 1);
    check("no debugger", info(8, 0), 0);
    check("random words differ", info(11, 0) != info(11, 1), 1);
    check("they stay", info(11, 2) == info(11, 2), 1);
    check("a random word too many", nx_get_info(&value, 11, 0, 4), INVALID_COMBINATION);
    check("an unknown question", nx_get_info(&value, 9999, NX_SELF_PROCESS, 0), INVALID_ENUM);
    check("a question to nobody", nx_get_info(&value, 4, 0x123456, 0), INVALID_HANDLE);
}

void check_kernel(void)
{
    check_handles();
    check_events();
    check_sleep();
    check_info();
}
