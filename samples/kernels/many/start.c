/* A program of any size: runs every copy of the kernels once and prints the checksum of all their results.
 *
 * `copies.h` has a line COPY(NAME, NUMBER) for each, and FINISH(NUMBER) behind those of one number. No C library, so
 * that the program is as small as its kernels; what these call is here. */
#include <stddef.h>
#include <stdint.h>

#define COPY(name, number) uint64_t kernel_##name##_##number(uint64_t size, uint64_t seed);
#define FINISH(number) uint64_t finish_##number(uint64_t hash, uint64_t value);
#include "copies.h"
#undef COPY
#undef FINISH

void *memcpy(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i++) ((volatile char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memset(void *to, int value, size_t size)
{
    for (size_t i = 0; i < size; i++) ((volatile char *)to)[i] = (char)value;
    return to;
}

int bcmp(const void *a, const void *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const volatile char *)a)[i] != ((const char *)b)[i]) return 1;
    return 0;
}

static long call(long number, long a, const void *b, long c)
{
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = (long)b, x2 __asm__("x2") = c;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x8) : "memory");
    return x0;
}

_Noreturn void abort(void)
{
    for (;;) call(94, 134, NULL, 0);
}

void _start(void)
{
    uint64_t hash = 1, size = 2;
    char text[17];
#define COPY(name, number) hash ^= kernel_##name##_##number(size, hash | 1);
#define FINISH(number) hash = finish_##number(hash, number);
#include "copies.h"
    for (int i = 0; i < 16; i++) text[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    text[16] = '\n';
    call(64, 1, text, sizeof text);
    for (;;) call(94, 0, NULL, 0);
}
