/* Loops that a compiler turns into Advanced SIMD: blending bytes, sums of differences, scaled sums of floats. */
#include <string.h>

#include "kernel.h"

enum { LENGTH = 4096 };

static void blend(uint8_t *restrict out, const uint8_t *restrict a, const uint8_t *restrict b, int alpha)
{
    for (int i = 0; i < LENGTH; i++) out[i] = (uint8_t)((a[i] * (256 - alpha) + b[i] * alpha) >> 8);
}

static uint32_t distance(const uint8_t *a, const uint8_t *b)
{
    uint32_t sum = 0;
    for (int i = 0; i < LENGTH; i++) sum += (uint32_t)abs(a[i] - b[i]);
    return sum;
}

static void scaled_sum(float *restrict y, const float *restrict x, float factor)
{
    for (int i = 0; i < LENGTH; i++) y[i] = y[i] * 0.5f + x[i] * factor;
}

static int32_t largest(const int16_t *values)
{
    int16_t most = INT16_MIN;
    for (int i = 0; i < LENGTH; i++) most = values[i] > most ? values[i] : most;
    return most;
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    static uint8_t a[LENGTH], b[LENGTH], c[LENGTH];
    static float x[LENGTH], y[LENGTH];
    static int16_t shorts[LENGTH];
    uint64_t hash = 0;
    for (int i = 0; i < LENGTH; i++) {
        uint64_t r = next_random(&seed);
        a[i] = (uint8_t)r, b[i] = (uint8_t)(r >> 8), shorts[i] = (int16_t)(r >> 16);
        x[i] = (float)(r >> 40) / 16777216.0f, y[i] = 0;
    }
    for (uint64_t i = 0; i < size; i++) {
        uint64_t r = next_random(&seed);
        blend(c, a, b, (int)(r & 255));
        hash = fold(hash, distance(c, a));
        scaled_sum(y, x, (float)(r >> 44) / 1048576.0f);
        shorts[r % LENGTH] ^= (int16_t)(r >> 20);
        hash = fold(hash, (uint64_t)largest(shorts));
        memcpy(a, i & 1 ? b : c, LENGTH / 2);
        uint32_t bits;
        memcpy(&bits, &y[r >> 52], 4);
        hash = fold(hash, bits);
    }
    return hash;
}
