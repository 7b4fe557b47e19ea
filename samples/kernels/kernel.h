/* What a benchmark kernel is: one function of a size and a seed whose result depends on all of its work.
 *
 * Inputs come from a generator seeded at run time and vary from round to round, so that no compiler can compute, hoist
 * or drop the work. Everything is exact: the same size and seed give the same checksum on every machine. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdint.h>
#include <stdlib.h>

uint64_t kernel(uint64_t size, uint64_t seed);

/* xorshift64*, never zero. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static inline uint64_t fold(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(1099511628211);
}

static inline void *must(void *memory)
{
    if (!memory) abort();
    return memory;
}

#endif
