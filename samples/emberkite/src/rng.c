#include "rng.h"

void rng_seed(struct rng *rng, uint64_t seed, uint64_t stream)
{
    rng->state = 0;
    rng->stream = stream << 1 | 1;
    rng_next(rng);
    rng->state += seed;
    rng_next(rng);
}

uint32_t rng_next(struct rng *rng)
{
    uint64_t old = rng->state;
    rng->state = old * UINT64_C(6364136223846793005) + rng->stream;
    uint32_t mixed = (uint32_t)((old >> 18 ^ old) >> 27);
    uint32_t turn = (uint32_t)(old >> 59);
    return mixed >> turn | mixed << (-turn & 31);
}

uint32_t rng_below(struct rng *rng, uint32_t bound)
{
    return (uint32_t)((uint64_t)rng_next(rng) * bound >> 32);
}

double rng_range(struct rng *rng, double low, double high)
{
    return low + (high - low) * (rng_next(rng) * (1.0 / 4294967296.0));
}
