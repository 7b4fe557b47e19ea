/* The mathematics library in single and double precision: a Fourier transform, powers, logarithms, conversions. */
#include <math.h>
#include <string.h>

#include "kernel.h"

enum { POINTS = 256 };

static void transform(double *re, double *im)
{
    for (int i = 1, j = 0; i < POINTS; i++) {
        int bit = POINTS >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = re[i];
            re[i] = re[j], re[j] = t;
            t = im[i];
            im[i] = im[j], im[j] = t;
        }
    }
    for (int length = 2; length <= POINTS; length *= 2)
        for (int k = 0; k < length / 2; k++) {
            double angle = -6.283185307179586 * k / length, co = cos(angle), si = sin(angle);
            for (int i = k; i < POINTS; i += length) {
                int j = i + length / 2;
                double tr = re[j] * co - im[j] * si, ti = re[j] * si + im[j] * co;
                re[j] = re[i] - tr, im[j] = im[i] - ti;
                re[i] += tr, im[i] += ti;
            }
        }
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    double re[POINTS], im[POINTS];
    uint64_t hash = 0;
    float loudness = 1.0f;
    for (uint64_t round = 0; round < size; round++) {
        double pitch = (double)(next_random(&seed) >> 52) / 97.0;
        for (int i = 0; i < POINTS; i++) {
            re[i] = sin(i * pitch * 0.01) + 0.25 * (double)(int16_t)next_random(&seed) / 32768.0;
            im[i] = 0;
        }
        transform(re, im);
        for (int i = 0; i < POINTS / 2; i++) {
            double power = re[i] * re[i] + im[i] * im[i] + 1e-9;
            loudness = loudness * 0.99f + (float)log(power) * 0.01f;
            hash = fold(hash, (uint64_t)(int64_t)floor(sqrt(power) * 1000.0));
            if (i % 16 == 0) hash = fold(hash, (uint64_t)(int32_t)(pow(power, 0.3) * 100.0 + atan2(im[i], re[i]) * 10.0));
        }
    }
    uint32_t bits;
    memcpy(&bits, &loudness, 4);
    return fold(hash, bits);
}
