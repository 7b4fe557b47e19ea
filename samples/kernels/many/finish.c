/* The function that is changed to see what a change costs: STEP another constant, LONGER a statement more. */
#include <stdint.h>

#ifndef STEP
#define STEP 0x1000001b3
#endif

uint64_t finish(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * STEP;
#ifdef LONGER
    hash ^= hash >> 29;
#endif
    return hash;
}
