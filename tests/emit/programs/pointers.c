/* Calls through pointers: arguments and results of every kind, any number of them, tail calls, and functions that nothing
 * but their place relative to others leads to. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#define KEEP __attribute__((noinline, used))

typedef struct { long a, b; } pair;
typedef struct { long a, b, c, d; } four;

static KEEP double sum(int count, ...) {
  va_list list;
  va_start(list, count);
  double total = 0;
  for (int i = 0; i < count; i++) total += va_arg(list, double);
  va_end(list);
  return total;
}
static KEEP long mixed(int count, ...) {
  va_list list;
  va_start(list, count);
  long total = 0;
  for (int i = 0; i < count; i++) total = total * 3 + (i & 1 ? (long)(va_arg(list, double) * 4) : va_arg(list, long));
  va_end(list);
  return total;
}
static KEEP long eight(long a, long b, long c, long d, long e, long f, long g, long h) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}
static KEEP double doubles(double a, double b, double c, double d, double e) { return a - b * c + d / e; }
static KEEP float floats(long n, float a, float b) { return a * n + b; }
static KEEP pair both(long a, long b) { return (pair){b + 1, a - 1}; }
static KEEP four all(long a, long b, long c, long d) { return (four){d, c, b, a}; }
static KEEP void store(long *to, long value) { *to = value; }
static KEEP unsigned __int128 wide(uint64_t a, uint64_t b) { return (unsigned __int128)a * b; }

/* Each leaves by a jump through a pointer that it is given. */
typedef long (*step)(long left, long sum, const void *table);
static KEEP long odd(long left, long sum, const void *table) {
  return left ? ((step const *)table)[left & 1](left - 1, sum * 3 + 1, table) : sum;
}
static KEEP long even(long left, long sum, const void *table) {
  return left ? ((step const *)table)[left & 1](left - 1, sum ^ left, table) : -sum;
}
static step const steps[] = {odd, even};

/* No word of data or code holds the address of the second: it is reached by an offset kept in 32 bits. */
static KEEP long near(long x) { return x + 7; }
static KEEP long far(long a, long b, double x, double y) { return a * b + (long)(x * y); }
__asm__(".section .rodata.offset,\"a\"\noffset: .long far - near\n.text\n");
extern const int32_t offset __attribute__((visibility("hidden")));

#define HIDDEN(function) ({ __typeof__(&function) volatile hidden_ = &function; hidden_; })

int main(int argc, char **argv) {
  (void)argv;
  for (int i = 1; i < 4; i++) {
    printf("%g %g\n", HIDDEN(sum)(i, 1.5, 2.25, 4.125), HIDDEN(sum)(0));
    printf("%ld\n", HIDDEN(mixed)(4, (long)i, 2.5, 40L, 0.75));
    printf("%ld\n", HIDDEN(eight)(i, 2, 3, 4, 5, 6, 7, argc));
    printf("%g\n", HIDDEN(doubles)(i, 2, 3, 4, 5));
    printf("%g\n", HIDDEN(floats)(i, 2.5f, 0.25f));
    const pair p = HIDDEN(both)(i, 10);
    const four q = HIDDEN(all)(p.a, p.b, i, 4);
    long stored = 0;
    HIDDEN(store)(&stored, q.a * 1000 + q.b * 100 + q.c * 10 + q.d);
    const unsigned __int128 product = HIDDEN(wide)(~UINT64_C(0) / i, stored);
    printf("%ld %llx %llx\n", stored, (unsigned long long)(product >> 64), (unsigned long long)product);
    const uintptr_t hidden = (uintptr_t)HIDDEN(near) + (uintptr_t)(intptr_t)offset;
    printf("%ld\n", ((long (*)(long, long, double, double))hidden)(i, argc + 4, i + 0.5, 8));
  }
  printf("%ld %ld\n", steps[0](1000001, argc, steps), steps[1](1000000, argc, steps));
  return 0;
}
