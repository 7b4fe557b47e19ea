/* Supervisor calls as C functions: which register carries what is all there is to it. */
#include <nx/svc.h>
#include <string.h>

#define CALL(number, ...)                 \
    extern void nx_svc_##number(uint64_t x[8]); \
    uint64_t x[8] = {__VA_ARGS__};        \
    nx_svc_##number(x)

#define PTR(pointer) ((uint64_t)(uintptr_t)(pointer))

nx_result nx_set_heap_size(void **base, size_t size)
{
    CALL(01, 0, size);
    *base = (void *)x[1];
    return (nx_result)x[0];
}

nx_result nx_set_memory_permission(void *address, size_t size, uint32_t permission)
{
    CALL(02, PTR(address), size, permission);
    return (nx_result)x[0];
}

nx_result nx_set_memory_attribute(void *address, size_t size, uint32_t mask, uint32_t value)
{
    CALL(03, PTR(address), size, mask, value);
    return (nx_result)x[0];
}

nx_result nx_map_memory(void *view, void *source, size_t size)
{
    CALL(04, PTR(view), PTR(source), size);
    return (nx_result)x[0];
}

nx_result nx_unmap_memory(void *view, void *source, size_t size)
{
    CALL(05, PTR(view), PTR(source), size);
    return (nx_result)x[0];
}

nx_result nx_query_memory(struct nx_memory_info *info, const void *address)
{
    CALL(06, PTR(info), 0, PTR(address));
    return (nx_result)x[0];
}

_Noreturn void nx_exit_process(void)
{
    CALL(07, 0);
    __builtin_trap();
}

nx_result nx_create_thread(nx_handle *thread, void (*entry)(void *), void *argument, void *stack_top, int priority,
                           int core)
{
    CALL(08, 0, PTR(entry), PTR(argument), PTR(stack_top), (uint32_t)priority, (uint32_t)core);
    *thread = (nx_handle)x[1];
    return (nx_result)x[0];
}

nx_result nx_start_thread(nx_handle thread)
{
    CALL(09, thread);
    return (nx_result)x[0];
}

_Noreturn void nx_exit_thread(void)
{
    CALL(0A, 0);
    __builtin_trap();
}

void nx_sleep(int64_t ns)
{
    CALL(0B, (uint64_t)ns);
}

nx_result nx_get_thread_priority(uint32_t *priority, nx_handle thread)
{
    CALL(0C, 0, thread);
    *priority = (uint32_t)x[1];
    return (nx_result)x[0];
}

nx_result nx_set_thread_priority(nx_handle thread, uint32_t priority)
{
    CALL(0D, thread, priority);
    return (nx_result)x[0];
}

nx_result nx_get_thread_core_mask(uint32_t *core, uint64_t *mask, nx_handle thread)
{
    CALL(0E, 0, 0, thread);
    *core = (uint32_t)x[1];
    *mask = x[2];
    return (nx_result)x[0];
}

nx_result nx_set_thread_core_mask(nx_handle thread, int core, uint64_t mask)
{
    CALL(0F, thread, (uint32_t)core, mask);
    return (nx_result)x[0];
}

uint32_t nx_current_processor(void)
{
    CALL(10, 0);
    return (uint32_t)x[0];
}

nx_result nx_signal_event(nx_handle event)
{
    CALL(11, event);
    return (nx_result)x[0];
}

nx_result nx_clear_event(nx_handle event)
{
    CALL(12, event);
    return (nx_result)x[0];
}

nx_result nx_map_shared_memory(nx_handle memory, void *address, size_t size, uint32_t permission)
{
    CALL(13, memory, PTR(address), size, permission);
    return (nx_result)x[0];
}

nx_result nx_unmap_shared_memory(nx_handle memory, void *address, size_t size)
{
    CALL(14, memory, PTR(address), size);
    return (nx_result)x[0];
}

nx_result nx_create_transfer_memory(nx_handle *memory, void *address, size_t size, uint32_t permission)
{
    CALL(15, 0, PTR(address), size, permission);
    *memory = (nx_handle)x[1];
    return (nx_result)x[0];
}

nx_result nx_close_handle(nx_handle handle)
{
    CALL(16, handle);
    return (nx_result)x[0];
}

nx_result nx_reset_signal(nx_handle event)
{
    CALL(17, event);
    return (nx_result)x[0];
}

nx_result nx_wait(int *index, const nx_handle *handles, int count, int64_t timeout_ns)
{
    CALL(18, 0, PTR(handles), (uint32_t)count, (uint64_t)timeout_ns);
    if (index) *index = (int)(uint32_t)x[1];
    return (nx_result)x[0];
}

nx_result nx_cancel_wait(nx_handle thread)
{
    CALL(19, thread);
    return (nx_result)x[0];
}

nx_result nx_arbitrate_lock(nx_handle owner, uint32_t *word, nx_handle self)
{
    CALL(1A, owner, PTR(word), self);
    return (nx_result)x[0];
}

nx_result nx_arbitrate_unlock(uint32_t *word)
{
    CALL(1B, PTR(word));
    return (nx_result)x[0];
}

nx_result nx_wait_key(uint32_t *mutex, uint32_t *key, nx_handle self, int64_t timeout_ns)
{
    CALL(1C, PTR(mutex), PTR(key), self, (uint64_t)timeout_ns);
    return (nx_result)x[0];
}

void nx_signal_key(uint32_t *key, int count)
{
    CALL(1D, PTR(key), (uint32_t)count);
}

uint64_t nx_system_tick(void)
{
    CALL(1E, 0);
    return x[0];
}

nx_result nx_connect_port(nx_handle *session, const char *name)
{
    char padded[12] = {0};
    for (size_t i = 0; i < sizeof padded && name[i]; i++) padded[i] = name[i];
    CALL(1F, 0, PTR(padded));
    *session = (nx_handle)x[1];
    return (nx_result)x[0];
}

nx_result nx_send_request(nx_handle session)
{
    CALL(21, session);
    return (nx_result)x[0];
}

nx_result nx_send_request_in(void *buffer, size_t size, nx_handle session)
{
    CALL(22, PTR(buffer), size, session);
    return (nx_result)x[0];
}

nx_result nx_get_process_id(uint64_t *id, nx_handle process)
{
    CALL(24, 0, process);
    *id = x[1];
    return (nx_result)x[0];
}

nx_result nx_get_thread_id(uint64_t *id, nx_handle thread)
{
    CALL(25, 0, thread);
    *id = x[1];
    return (nx_result)x[0];
}

nx_result nx_break(uint64_t reason, const void *data, size_t size)
{
    CALL(26, reason, PTR(data), size);
    return (nx_result)x[0];
}

nx_result nx_debug_text(const char *text, size_t size)
{
    CALL(27, PTR(text), size);
    return (nx_result)x[0];
}

nx_result nx_get_info(uint64_t *value, uint32_t id, nx_handle handle, uint64_t sub)
{
    CALL(29, 0, id, handle, sub);
    *value = x[1];
    return (nx_result)x[0];
}

nx_result nx_wait_address(void *address, uint32_t type, int64_t value, int64_t timeout_ns)
{
    CALL(34, PTR(address), type, (uint64_t)value, (uint64_t)timeout_ns);
    return (nx_result)x[0];
}

nx_result nx_signal_address(void *address, uint32_t type, int32_t value, int32_t count)
{
    CALL(35, PTR(address), type, (uint32_t)value, (uint32_t)count);
    return (nx_result)x[0];
}

nx_result nx_create_event(nx_handle *writable, nx_handle *readable)
{
    CALL(45, 0);
    *writable = (nx_handle)x[1];
    *readable = (nx_handle)x[2];
    return (nx_result)x[0];
}
