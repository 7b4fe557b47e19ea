/* The guest's address space: one reservation of 4 GiB between guards, and who may touch which page of it. */
#ifndef RT_MEMORY_H
#define RT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt.h"

#define RT_PAGE 4096u
#define RT_SPACE (UINT64_C(1) << 32)
#define RT_GUARD (UINT64_C(1) << 20) /* accesses add offsets of up to 64 KiB to 32 bits of an address, either way */

/* Page permissions. A page without RT_MAPPED belongs to nobody. */
#define RT_READ 1
#define RT_WRITE 2
#define RT_EXEC 4
#define RT_MAPPED 8

#define RT_STACK_TOP UINT32_C(0xfffff000) /* end of the initial stack; mappings are placed below the stack */
#define RT_STACK_SIZE UINT32_C(0x800000)
#define RT_VDSO_BASE (RT_STACK_TOP - RT_STACK_SIZE - 2 * RT_PAGE) /* the signal trampoline's page */

extern uint8_t *rt_memory; /* host address of guest address 0 */

/* Reserves the space, maps the module's segments with their contents and permissions.
 * Ends the process by rt_fail where the host cannot or the module is malformed. */
void rt_memory_init(const rt_module *module);

/* Whether `size` bytes at a guest address are all mapped with the permissions `access` (RT_READ | RT_WRITE). */
bool rt_memory_allows(uint64_t addr, uint64_t size, int access);

/* Host pointer to `size` guest bytes with these permissions, or NULL (the guest gets EFAULT). */
void *rt_memory_at(uint64_t addr, uint64_t size, int access);

/* Copies between guest and host; false and nothing copied where a byte is not accessible. */
bool rt_memory_get(void *to, uint64_t addr, uint64_t size);
bool rt_memory_put(uint64_t addr, const void *from, uint64_t size);

/* A terminated guest string, or NULL where it is not readable or longer than `limit` bytes with its end. */
const char *rt_memory_string(uint64_t addr, uint64_t limit);

/* Finds `size` free bytes (rounded up to pages): at `hint` where that is free, otherwise as high as possible below the
 * stack. 0 = no room. */
uint32_t rt_memory_find(uint64_t hint, uint64_t size);

/* Whether no page of the range is mapped; the range has to lie in the space. */
bool rt_memory_is_free(uint64_t addr, uint64_t size);

/* Marks or maps. Addresses and sizes are whole pages inside the space. Each returns 0 or a host errno. */
int rt_memory_map_anonymous(uint32_t addr, uint64_t size, int access, bool shared);
int rt_memory_map_fd(uint32_t addr, uint64_t size, int access, bool shared, int fd, int64_t offset);
int rt_memory_unmap(uint32_t addr, uint64_t size);
int rt_memory_protect(uint32_t addr, uint64_t size, int access);
int rt_memory_move(uint32_t from, uint64_t old_size, uint32_t to, uint64_t new_size);

/* Drops contents: private anonymous pages are zero afterwards, those of a file are read again. */
int rt_memory_discard(uint32_t addr, uint64_t size);

/* Permissions of the page that holds a guest address. */
int rt_memory_page(uint32_t addr);

/* First address after the module's segments, a page's start: where the heap (brk) begins. */
uint32_t rt_memory_heap_start(void);

static inline uint64_t rt_page_up(uint64_t n) { return (n + RT_PAGE - 1) & ~(uint64_t)(RT_PAGE - 1); }

#endif
