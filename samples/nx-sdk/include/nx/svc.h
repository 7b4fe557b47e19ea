/* Supervisor calls of the kernel. Names and meanings as publicly documented; times are nanoseconds, -1 is for ever. */
#ifndef NX_SVC_H
#define NX_SVC_H

#include "types.h"

struct nx_memory_info {
    uint64_t base, size;
    uint32_t type, attributes, permission, ipc_count, device_count, zero;
};

enum { NX_MEMORY_HEAP = 5, NX_PERMISSION_NONE = 0, NX_PERMISSION_R = 1, NX_PERMISSION_RW = 3 };

nx_result nx_set_heap_size(void **base, size_t size);
nx_result nx_set_memory_permission(void *address, size_t size, uint32_t permission);
nx_result nx_set_memory_attribute(void *address, size_t size, uint32_t mask, uint32_t value);
nx_result nx_map_memory(void *view, void *source, size_t size);
nx_result nx_unmap_memory(void *view, void *source, size_t size);
nx_result nx_query_memory(struct nx_memory_info *info, const void *address);
_Noreturn void nx_exit_process(void);
nx_result nx_create_thread(nx_handle *thread, void (*entry)(void *), void *argument, void *stack_top, int priority,
                           int core);
nx_result nx_start_thread(nx_handle thread);
_Noreturn void nx_exit_thread(void);
void nx_sleep(int64_t ns);
nx_result nx_get_thread_priority(uint32_t *priority, nx_handle thread);
nx_result nx_set_thread_priority(nx_handle thread, uint32_t priority);
nx_result nx_get_thread_core_mask(uint32_t *core, uint64_t *mask, nx_handle thread);
nx_result nx_set_thread_core_mask(nx_handle thread, int core, uint64_t mask);
uint32_t nx_current_processor(void);
nx_result nx_signal_event(nx_handle event);
nx_result nx_clear_event(nx_handle event);
nx_result nx_map_shared_memory(nx_handle memory, void *address, size_t size, uint32_t permission);
nx_result nx_unmap_shared_memory(nx_handle memory, void *address, size_t size);
nx_result nx_create_transfer_memory(nx_handle *memory, void *address, size_t size, uint32_t permission);
nx_result nx_close_handle(nx_handle handle);
nx_result nx_reset_signal(nx_handle event);
nx_result nx_wait(int *index, const nx_handle *handles, int count, int64_t timeout_ns);
nx_result nx_cancel_wait(nx_handle thread);
nx_result nx_arbitrate_lock(nx_handle owner, uint32_t *word, nx_handle self);
nx_result nx_arbitrate_unlock(uint32_t *word);
nx_result nx_wait_key(uint32_t *mutex, uint32_t *key, nx_handle self, int64_t timeout_ns);
void nx_signal_key(uint32_t *key, int count);
uint64_t nx_system_tick(void);
nx_result nx_connect_port(nx_handle *session, const char *name);
nx_result nx_send_request(nx_handle session);
nx_result nx_send_request_in(void *buffer, size_t size, nx_handle session);
nx_result nx_get_process_id(uint64_t *id, nx_handle process);
nx_result nx_get_thread_id(uint64_t *id, nx_handle thread);
nx_result nx_break(uint64_t reason, const void *data, size_t size);
nx_result nx_debug_text(const char *text, size_t size);
nx_result nx_get_info(uint64_t *value, uint32_t id, nx_handle handle, uint64_t sub);
nx_result nx_wait_address(void *address, uint32_t type, int64_t value, int64_t timeout_ns);
nx_result nx_signal_address(void *address, uint32_t type, int32_t value, int32_t count);
nx_result nx_create_event(nx_handle *writable, nx_handle *readable);

#endif
