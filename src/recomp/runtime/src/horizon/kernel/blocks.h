/* What the kernel knows of each page of the guest's address space, as maximal blocks of equal pages. */
#ifndef HZ_BLOCKS_H
#define HZ_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum hz_memory_type {
  HZ_UNMAPPED = 0,
  HZ_STATIC = 2,
  HZ_CODE = 3,
  HZ_CODE_DATA = 4,
  HZ_HEAP = 5,
  HZ_SHARED = 6,
  HZ_STACK = 0xb,
  HZ_THREAD_LOCAL = 0xc,
  HZ_TRANSFER_ISOLATED = 0xd,
  HZ_TRANSFER = 0xe,
  HZ_INACCESSIBLE = 0x10, /* behind the address space */
} hz_memory_type;

/* Attributes. */
#define HZ_LOCKED 1u
#define HZ_UNCACHED 8u
#define HZ_PERMISSION_LOCKED 0x10u

/* Permissions are RT_READ, RT_WRITE, RT_EXEC: the same numbers. */
typedef struct hz_block {
  uint64_t start, size;
  uint8_t type, permission, attribute;
} hz_block;

void hz_blocks_init(void);

/* The block that holds an address of the space. */
hz_block hz_block_at(uint64_t addr);

/* Whether all of a range is of this type, with these permissions and attributes; -1 = whichever. */
bool hz_blocks_are(uint64_t addr, uint64_t size, int type, int permission, int attribute);

/* What SVC calls do to a range: only the bookkeeping. -1 = as it is. */
void hz_blocks_set(uint64_t addr, uint64_t size, int type, int permission, int attribute);

/* Maps zeroed memory, unmaps, changes permissions: pages and bookkeeping. Ranges are whole pages inside the space. */
void hz_map(uint64_t addr, uint64_t size, int type, int permission);
void hz_unmap(uint64_t addr, uint64_t size);
void hz_protect(uint64_t addr, uint64_t size, int permission, int attribute);

#endif
