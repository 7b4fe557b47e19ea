/* The guest's random sources: a function of RECOMP_RT_SEED, or in real time the host's. */
#ifndef RT_RANDOM_H
#define RT_RANDOM_H

#include <stddef.h>

void rt_random_fill(void *to, size_t size);

#endif
