/* Threads, locks and where in the address space views go. */
#include <nx/process.h>
#include <nx/svc.h>
#include <nx/thread.h>
#include <stdlib.h>

enum { MAGIC = 0x21545624, REGION_ALIAS = 2, REGION_HEAP = 4, GUARD = 0x4000 };

/* The last part of the thread block is the program's. */
struct thread_vars {
    uint32_t magic;
    nx_handle handle;
    struct nx_thread *thread;
    void *reserved[2];
};

extern void *nx_thread_block(void);

static struct thread_vars *vars(void)
{
    return (struct thread_vars *)((char *)nx_thread_block() + 0x1E0);
}

nx_handle nx_self(void)
{
    struct thread_vars *v = vars();
    if (v->magic != MAGIC) *v = (struct thread_vars){MAGIC, nx_environment.main_thread, NULL, {NULL, NULL}};
    return v->handle;
}

/* ---- locks ------------------------------------------------------------------------------------------------------ */

static bool change(uint32_t *word, uint32_t *from, uint32_t to)
{
    return __atomic_compare_exchange_n(word, from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

bool nx_try_lock(struct nx_mutex *mutex)
{
    uint32_t seen = 0;
    return change(&mutex->word, &seen, nx_self());
}

void nx_lock(struct nx_mutex *mutex)
{
    uint32_t self = nx_self(), seen = 0;
    while (!change(&mutex->word, &seen, self)) {
        if (!seen) continue;
        if (!(seen & NX_WAITERS) && !change(&mutex->word, &seen, seen | NX_WAITERS)) {
            seen = 0;
            continue;
        }
        nx_result result = nx_arbitrate_lock(seen & ~(uint32_t)NX_WAITERS, &mutex->word, self);
        if (result) nx_fail(result);
        if ((__atomic_load_n(&mutex->word, __ATOMIC_ACQUIRE) & ~(uint32_t)NX_WAITERS) == self) return;
        seen = 0;
    }
}

void nx_unlock(struct nx_mutex *mutex)
{
    uint32_t seen = nx_self();
    if (change(&mutex->word, &seen, 0)) return;
    nx_result result = nx_arbitrate_unlock(&mutex->word);
    if (result) nx_fail(result);
}

nx_result nx_condition_wait(struct nx_condition *condition, struct nx_mutex *mutex, int64_t timeout_ns)
{
    nx_result result = nx_wait_key(&mutex->word, &condition->key, nx_self(), timeout_ns);
    if (result == NX_ERROR_TIMEOUT) nx_lock(mutex);
    return result;
}

void nx_condition_wake(struct nx_condition *condition, int count)
{
    nx_signal_key(&condition->key, count);
}

/* ---- address space ---------------------------------------------------------------------------------------------- */

static bool overlaps(uint64_t start, uint64_t end, uint32_t region_id)
{
    uint64_t base = 0, size = 0;
    nx_get_info(&base, region_id, NX_SELF_PROCESS, 0);
    nx_get_info(&size, region_id + 1, NX_SELF_PROCESS, 0);
    return start < base + size && base < end;
}

/* Walks the region from block to block, so the place depends on nothing but what is mapped. */
void *nx_find_range(size_t size, uint32_t region_id)
{
    uint64_t base = 0, length = 0;
    nx_get_info(&base, region_id, NX_SELF_PROCESS, 0);
    nx_get_info(&length, region_id + 1, NX_SELF_PROCESS, 0);
    for (uint64_t at = base; at < base + length;) {
        struct nx_memory_info info;
        if (nx_query_memory(&info, (void *)at)) return NULL;
        uint64_t start = at + GUARD, end = start + size + GUARD, block_end = info.base + info.size;
        if (info.type == 0 && end <= block_end && end <= base + length) {
            bool busy = region_id == 12 && (overlaps(start, end, REGION_ALIAS) || overlaps(start, end, REGION_HEAP));
            if (!busy) return (void *)start;
            at += 0x200000;
            continue;
        }
        if (block_end <= at) return NULL;
        at = block_end;
    }
    return NULL;
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static void begin(void *argument)
{
    struct nx_thread *thread = argument;
    *vars() = (struct thread_vars){MAGIC, thread->handle, thread, {NULL, NULL}};
    thread->entry(thread->argument);
    nx_exit_thread();
}

nx_result nx_thread_create(struct nx_thread *thread, void (*entry)(void *), void *argument, size_t stack, int priority)
{
    *thread = (struct nx_thread){.entry = entry, .argument = argument};
    thread->size = (stack + NX_PAGE - 1) & ~(size_t)(NX_PAGE - 1);
    thread->memory = aligned_alloc(NX_PAGE, thread->size);
    thread->view = nx_find_range(thread->size, 14);
    if (!thread->memory || !thread->view) return NX_ERROR_MEMORY;
    NX_TRY(nx_map_memory(thread->view, thread->memory, thread->size));
    return nx_create_thread(&thread->handle, begin, thread, (char *)thread->view + thread->size, priority, -2);
}

nx_result nx_thread_start(struct nx_thread *thread)
{
    return nx_start_thread(thread->handle);
}

nx_result nx_thread_join(struct nx_thread *thread)
{
    NX_TRY(nx_wait(NULL, &thread->handle, 1, NX_FOREVER));
    NX_TRY(nx_unmap_memory(thread->view, thread->memory, thread->size));
    free(thread->memory);
    return nx_close_handle(thread->handle);
}
