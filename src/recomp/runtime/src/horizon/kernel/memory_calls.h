/* The heap, as the loader and GetInfo see it. */
#ifndef HZ_MEMORY_CALLS_H
#define HZ_MEMORY_CALLS_H

#include <stdint.h>

void hz_heap_init(uint64_t size);
uint64_t hz_heap_size(void);

#endif
