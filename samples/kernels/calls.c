/* Deep recursion: Fibonacci numbers and Ackermann's function, for arguments that are not known beforehand. */
#include "kernel.h"

static uint64_t salt; /* makes each call depend on memory, so that it is no pure function of its argument */

static __attribute__((noinline)) uint64_t fibonacci(unsigned n)
{
    if (n < 2) return n + (salt & 1);
    return fibonacci(n - 1) + fibonacci(n - 2);
}

static __attribute__((noinline)) uint64_t ackermann(uint64_t m, uint64_t n)
{
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1 + (salt >> 1 & 1));
    return ackermann(m - 1, ackermann(m, n - 1));
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    uint64_t hash = 0;
    for (uint64_t i = 0; i < size; i++) {
        salt = next_random(&seed);
        hash = fold(hash, fibonacci(16 + (unsigned)(salt >> 61)));
        hash = fold(hash, ackermann(2, 20 + (salt >> 58)));
    }
    return hash;
}
