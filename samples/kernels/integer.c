/* Integer arithmetic: multiply, divide, shift, count, and 128-bit products, in dependent chains. */
#include "kernel.h"

static uint64_t power_mod(uint64_t base, uint64_t exponent, uint64_t modulus)
{
    uint64_t result = 1;
    for (base %= modulus; exponent; exponent >>= 1) {
        if (exponent & 1) result = (uint64_t)((unsigned __int128)result * base >> 7) % modulus;
        base = (uint64_t)((unsigned __int128)base * base >> 5) % modulus;
    }
    return result;
}

static uint32_t greatest_common(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    uint64_t hash = 0;
    for (uint64_t i = 0; i < size; i++) {
        uint64_t r = next_random(&seed);
        uint32_t a = (uint32_t)r | 1, b = (uint32_t)(r >> 32) | 1;
        hash = fold(hash, greatest_common(a, b));
        hash = fold(hash, power_mod(r, r >> 40, b));
        int32_t signed_part = (int32_t)a / (int32_t)((b & 0xffff) + 3);
        hash += (uint64_t)(int64_t)signed_part + (uint64_t)__builtin_clzll(r | 1) * (uint64_t)__builtin_ctzll(r | 1 << 20);
        hash = hash >> 13 | hash << 51;
    }
    return hash;
}
