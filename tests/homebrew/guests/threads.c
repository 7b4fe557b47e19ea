/* Threads, mutexes, condition variables, the address arbiter; misuse of each. */
#include "check.h"

#include <nx/process.h>
#include <nx/thread.h>

enum { STACK = 0x4000 };

static struct nx_mutex lock;
static struct nx_condition condition;
static int counter, order[8], ordered;

static void nothing(void *argument)
{
    (void)argument;
}

static void add_to_counter(void *argument)
{
    for (int i = 0; i < 100; i++) {
        nx_lock(&lock);
        int seen = counter;
        if (i % 10 == 0) nx_sleep(-1);
        counter = seen + 1;
        nx_unlock(&lock);
    }
    (void)argument;
}

static void check_start(void)
{
    nx_handle handle;
    check("a priority too high", nx_create_thread(&handle, nothing, NULL, NULL, 2, -2), INVALID_PRIORITY);
    check("a priority too low", nx_create_thread(&handle, nothing, NULL, NULL, 64, -2), INVALID_PRIORITY);
    check("a core that is not there", nx_create_thread(&handle, nothing, NULL, NULL, 44, 9), INVALID_CORE);
    check("start an unknown handle", nx_start_thread(0x123456), INVALID_HANDLE);
    struct nx_thread thread;
    uint32_t priority = 0, core;
    uint64_t mask;
    int index;
    CHECK_OK(nx_thread_create(&thread, nothing, NULL, STACK, 45));
    CHECK_OK(nx_get_thread_priority(&priority, thread.handle));
    check("its priority", priority, 45);
    CHECK_OK(nx_set_thread_priority(thread.handle, 50));
    CHECK_OK(nx_get_thread_priority(&priority, thread.handle));
    check("its new priority", priority, 50);
    check("a wrong priority", nx_set_thread_priority(thread.handle, 3), INVALID_PRIORITY);
    CHECK_OK(nx_get_thread_core_mask(&core, &mask, thread.handle));
    check("core mask of an unknown handle", nx_get_thread_core_mask(&core, &mask, 0x123456), INVALID_HANDLE);
    check("priority of an unknown handle", nx_get_thread_priority(&priority, 0x123456), INVALID_HANDLE);
    check("it does not run yet", nx_wait(&index, &thread.handle, 1, 0), TIMED_OUT);
    CHECK_OK(nx_thread_start(&thread));
    check("start it again", nx_thread_start(&thread), WRONG_STATE);
    CHECK_OK(nx_thread_join(&thread));
}

static void check_counting(void)
{
    struct nx_thread threads[3];
    for (int i = 0; i < 3; i++) CHECK_OK(nx_thread_create(&threads[i], add_to_counter, NULL, STACK, 44));
    for (int i = 0; i < 3; i++) CHECK_OK(nx_thread_start(&threads[i]));
    for (int i = 0; i < 3; i++) CHECK_OK(nx_thread_join(&threads[i]));
    check("three hundred", (uint64_t)counter, 300);
    check("the mutex is free", lock.word, 0);
}

static void wait_in_order(void *argument)
{
    nx_lock(&lock);
    nx_condition_wait(&condition, &lock, NX_FOREVER);
    order[ordered++] = (int)(uintptr_t)argument;
    nx_unlock(&lock);
}

/* Who is woken first: the highest priority, then who came first. */
static void check_order(void)
{
    static const int priorities[4] = {46, 45, 46, 45};
    struct nx_thread threads[4];
    for (int i = 0; i < 4; i++) {
        CHECK_OK(nx_thread_create(&threads[i], wait_in_order, (void *)(uintptr_t)i, STACK, priorities[i]));
        CHECK_OK(nx_thread_start(&threads[i]));
        nx_sleep(1000000);
    }
    check("four wait", condition.key, 1);
    nx_lock(&lock);
    nx_condition_wake(&condition, 1);
    nx_unlock(&lock);
    nx_sleep(1000000);
    check("one was woken", (uint64_t)ordered, 1);
    nx_condition_wake(&condition, -1);
    for (int i = 0; i < 4; i++) CHECK_OK(nx_thread_join(&threads[i]));
    check("order of waking", (uint64_t)(order[0] * 1000 + order[1] * 100 + order[2] * 10 + order[3]), 1302);
    check("nobody waits", condition.key, 0);
    nx_lock(&lock);
    check("a wait that ends", nx_condition_wait(&condition, &lock, 1000000), TIMED_OUT);
    check("the mutex is held again", lock.word & ~(uint32_t)NX_WAITERS, nx_self());
    check("try to lock it", nx_try_lock(&lock), 0);
    nx_unlock(&lock);
    check("try again", nx_try_lock(&lock), 1);
    nx_unlock(&lock);
}

static void check_locks(void)
{
    static uint32_t word;
    check("lock at an odd address", nx_arbitrate_lock(nx_self(), (uint32_t *)((char *)&word + 1), nx_self()), INVALID_ADDRESS);
    check("unlock at an odd address", nx_arbitrate_unlock((uint32_t *)((char *)&word + 1)), INVALID_ADDRESS);
    check("a word that says something else", nx_arbitrate_lock(0x1234, &word, nx_self()), 0);
    word = 0x123456 | NX_WAITERS;
    check("an owner who is not there", nx_arbitrate_lock(0x123456, &word, nx_self()), INVALID_HANDLE);
    CHECK_OK(nx_arbitrate_unlock(&word));
    check("unlocked", word, 0);
}

static nx_handle sleeper_writer, sleeper_reader;
static nx_result sleeper_result;

static void sleep_until_cancelled(void *argument)
{
    int index;
    sleeper_result = nx_wait(&index, &sleeper_reader, 1, NX_FOREVER);
    (void)argument;
}

static void check_cancel(void)
{
    struct nx_thread thread;
    CHECK_OK(nx_create_event(&sleeper_writer, &sleeper_reader));
    CHECK_OK(nx_thread_create(&thread, sleep_until_cancelled, NULL, STACK, 44));
    CHECK_OK(nx_thread_start(&thread));
    nx_sleep(1000000);
    CHECK_OK(nx_cancel_wait(thread.handle));
    CHECK_OK(nx_thread_join(&thread));
    check("its wait was cancelled", sleeper_result, CANCELLED);
    check("cancel an unknown handle", nx_cancel_wait(0x123456), INVALID_HANDLE);
    nx_close_handle(sleeper_writer);
    nx_close_handle(sleeper_reader);
}

static uint32_t place;
static nx_result place_result;

static void wait_at_place(void *argument)
{
    place_result = nx_wait_address(&place, 2, 5, NX_FOREVER);
    (void)argument;
}

static void check_addresses(void)
{
    struct nx_thread thread;
    place = 5;
    check("a value that differs", nx_wait_address(&place, 2, 6, NX_FOREVER), WRONG_STATE);
    check("a wait that ends at once", nx_wait_address(&place, 2, 5, 0), TIMED_OUT);
    check("less than", nx_wait_address(&place, 0, 5, 0), WRONG_STATE);
    check("less than, and it is", nx_wait_address(&place, 0, 6, 0), TIMED_OUT);
    check("and one less", nx_wait_address(&place, 1, 6, 0), TIMED_OUT);
    check("it is one less", place, 4);
    place = 5;
    check("an odd address", nx_wait_address((char *)&place + 1, 2, 5, 0), INVALID_ADDRESS);
    check("an unknown kind", nx_wait_address(&place, 9, 5, 0), INVALID_ENUM);
    CHECK_OK(nx_thread_create(&thread, wait_at_place, NULL, STACK, 44));
    CHECK_OK(nx_thread_start(&thread));
    nx_sleep(1000000);
    check("signal with the wrong value", nx_signal_address(&place, 1, 7, 1), WRONG_STATE);
    CHECK_OK(nx_signal_address(&place, 1, 5, 1));
    check("signal and add", place, 6);
    CHECK_OK(nx_thread_join(&thread));
    check("it was woken", place_result, 0);
    CHECK_OK(nx_signal_address(&place, 2, 6, 1));
    check("signal nobody", place, 7);
}

void check_threads(void)
{
    check_start();
    check_counting();
    check_order();
    check_locks();
    check_cancel();
    check_addresses();
}
