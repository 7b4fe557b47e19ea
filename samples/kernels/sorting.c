/* Sorting of its own: quicksort with insertion, heap sort, and by digits. */
#include "kernel.h"

enum { LENGTH = 6000 };

static void quick(int32_t *a, int low, int high)
{
    while (high - low > 12) {
        int32_t pivot = a[(low + high) / 2];
        int i = low - 1, j = high + 1;
        for (;;) {
            while (a[++i] < pivot) {}
            while (a[--j] > pivot) {}
            if (i >= j) break;
            int32_t t = a[i];
            a[i] = a[j], a[j] = t;
        }
        quick(a, low, j);
        low = j + 1;
    }
    for (int i = low + 1; i <= high; i++) {
        int32_t value = a[i];
        int j = i;
        for (; j > low && a[j - 1] > value; j--) a[j] = a[j - 1];
        a[j] = value;
    }
}

static void sink(uint64_t *a, int at, int count)
{
    uint64_t value = a[at];
    for (int child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && a[child + 1] > a[child]) child++;
        if (a[child] <= value) break;
        a[at] = a[child];
    }
    a[at] = value;
}

static void heap_sort(uint64_t *a, int count)
{
    for (int i = count / 2; i-- > 0;) sink(a, i, count);
    for (int i = count; i-- > 1;) {
        uint64_t t = a[0];
        a[0] = a[i], a[i] = t;
        sink(a, 0, i);
    }
}

static void by_digits(uint32_t *a, uint32_t *spare)
{
    for (int shift = 0; shift < 32; shift += 8) {
        uint32_t starts[257] = {0};
        for (int i = 0; i < LENGTH; i++) starts[(a[i] >> shift & 255) + 1]++;
        for (int i = 0; i < 256; i++) starts[i + 1] += starts[i];
        for (int i = 0; i < LENGTH; i++) spare[starts[a[i] >> shift & 255]++] = a[i];
        uint32_t *t = a;
        a = spare, spare = t;
    }
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    static int32_t a[LENGTH];
    static uint64_t b[LENGTH];
    static uint32_t c[LENGTH], spare[LENGTH];
    uint64_t hash = 0;
    for (uint64_t round = 0; round < size; round++) {
        for (int i = 0; i < LENGTH; i++) {
            uint64_t r = next_random(&seed);
            a[i] = (int32_t)r, b[i] = r * 3, c[i] = (uint32_t)(r >> 32);
        }
        quick(a, 0, LENGTH - 1);
        heap_sort(b, LENGTH);
        by_digits(c, spare);
        for (int i = 0; i < LENGTH; i += 97) hash = fold(hash, (uint64_t)a[i] ^ b[i] ^ c[i]);
    }
    return hash;
}
