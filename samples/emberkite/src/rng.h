/* A small permuted congruential generator (64-bit state, 32-bit output). */
#ifndef RNG_H
#define RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
    uint64_t stream; /* odd; different streams never share a sequence */
};

void rng_seed(struct rng *rng, uint64_t seed, uint64_t stream);
uint32_t rng_next(struct rng *rng);

/* Uniform in [0, bound). */
uint32_t rng_below(struct rng *rng, uint32_t bound);

/* Uniform in [low, high). */
double rng_range(struct rng *rng, double low, double high);

#endif
