/* Threads, and locks that go to the kernel only when somebody has to wait. */
#ifndef NX_THREAD_H
#define NX_THREAD_H

#include "types.h"

struct nx_mutex {
    uint32_t word; /* 0, or the owner's handle, with NX_WAITERS where somebody waits */
};

struct nx_condition {
    uint32_t key;
};

enum { NX_WAITERS = 0x40000000 };

struct nx_thread {
    nx_handle handle;
    void (*entry)(void *);
    void *argument;
    void *memory, *view; /* the stack as it was allocated, and where the thread sees it */
    size_t size;
};

/* Handle of the running thread, the tag of its locks. */
nx_handle nx_self(void);

void nx_lock(struct nx_mutex *mutex);
bool nx_try_lock(struct nx_mutex *mutex);
void nx_unlock(struct nx_mutex *mutex);

/* With `mutex` held, and held again after it, also after NX_ERROR_TIMEOUT. */
nx_result nx_condition_wait(struct nx_condition *condition, struct nx_mutex *mutex, int64_t timeout_ns);
void nx_condition_wake(struct nx_condition *condition, int count);

/* `priority` 28 (first) .. 59; the thread runs from nx_thread_start. Stack sizes are rounded up to pages. */
nx_result nx_thread_create(struct nx_thread *thread, void (*entry)(void *), void *argument, size_t stack, int priority);
nx_result nx_thread_start(struct nx_thread *thread);

/* Waits for its end and gives its stack back. */
nx_result nx_thread_join(struct nx_thread *thread);

/* A free range of `size` bytes for a view, with a guard page on both sides; `id` 14 for stacks, 12 for shared memory. */
void *nx_find_range(size_t size, uint32_t region_id);

#endif
