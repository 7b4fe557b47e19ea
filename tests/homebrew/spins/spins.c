/* A thread that waits in a loop without a call, for what another one writes: a word, then a lock, then nothing. In the
 * end another thread writes where nothing is. */
#include <nx/svc.h>
#include <nx/thread.h>
#include <stdio.h>

enum { STACK = 0x4000 };

static volatile int word, never;
static _Bool lock;

static void take(void)
{
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) {
    }
}

static void give(void)
{
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void write_word(void *argument)
{
    nx_sleep(50000000);
    take();
    word = 7;
    nx_sleep(50000000);
    give();
    (void)argument;
}

static void fall(void *argument)
{
    nx_sleep(1000000000);
    *(volatile int *)0x10 = 1;
    (void)argument;
}

int main(void)
{
    struct nx_thread thread;
    nx_thread_create(&thread, write_word, NULL, STACK, 50); /* of a lower priority than this one */
    nx_thread_start(&thread);
    while (!word) {
    }
    printf("word %d\n", word);
    take();
    printf("lock\n");
    give();
    nx_thread_join(&thread);
    printf("alone\n");
    nx_thread_create(&thread, fall, NULL, STACK, 50);
    nx_thread_start(&thread);
    while (!never) {
    }
    return 0;
}
