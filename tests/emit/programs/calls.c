/* Many arguments of either kind, structures by value, results of either kind, calls through pointers and directly of
 * the same functions, tail calls a million deep, deep recursion, variable-length arrays, functions that save much. */
#include <complex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline))

struct pair { long a, b; };
struct wide { double x, y, z; };
struct big { long v[12]; };

APART static long many(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j) {
  return a - 2 * b + 3 * c - 4 * d + 5 * e - 6 * f + 7 * g - 8 * h + 9 * i - 10 * j;
}
APART static double doubles(double a, int n, double b, float c, double d, double e, double f, double g, double h, double i) {
  return a + n * b - c * d + e / (f + 2) - g * h + i;
}
APART static struct pair swap(struct pair p, long k) { return (struct pair){p.b + k, p.a - k}; }
APART static struct wide turn(struct wide w, double by) { return (struct wide){w.y * by, w.z - by, w.x + by}; }
APART static struct big fill(long seed) {
  struct big b;
  for (int i = 0; i < 12; i++) b.v[i] = seed = seed * 6364136223846793005 + 1442695040888963407;
  return b;
}
APART static double complex square(double complex z) { return z * z + 1; }
APART static void both(long *whole, double *part, double value) { *whole = (long)value, *part = value - (double)*whole; }

APART static int is_odd(unsigned n, int *depth);
APART static int is_even(unsigned n, int *depth) { return ++*depth, n == 0 ? 1 : is_odd(n - 1, depth); }
APART static int is_odd(unsigned n, int *depth) { return ++*depth, n == 0 ? 0 : is_even(n - 1, depth); }

APART static long deep(long n, double keep) {
  if (n == 0) return (long)keep;
  volatile long here = n;
  const long below = deep(n - 1, keep + 0.5);
  return below + here % 3;
}

APART static long array(int n, int (*each)(int)) {
  int values[n];
  long total = 0;
  for (int i = 0; i < n; i++) values[i] = each(i);
  for (int i = n; i-- > 0;) total = total * 3 + values[i] % 7;
  return total;
}
static int thrice(int x) { return 3 * x; }
static int minus(int x) { return -x; }

APART static long busy(long a, long b, long (*f)(long, long), double d) {
  long r1 = a, r2 = b, r3 = a ^ b, r4 = a + b, r5 = a * 3, r6 = b * 5, r7 = a - b, r8 = 7;
  double e = d, g = d * 2;
  for (int i = 0; i < 20; i++) {
    r1 += f(r2, r3), r2 ^= f(r4, r1), r3 -= f(r5, r6), r4 += r7, r5 ^= f(r8, r2), r6 += i, r7 = f(r7, i), r8 += r1 & 15;
    e = e * 0.5 + (double)f(i, i), g -= e;
  }
  return r1 + r2 + r3 + r4 + r5 + r6 + r7 + r8 + (long)(e + g);
}
static long mix(long a, long b) { return (long)((uint64_t)a * 31 + ((uint64_t)b >> 3)); }
static long either(long a, long b) { return a > b ? a - b : b; }

APART static void format(char *out, size_t size, const char *text, ...) {
  va_list args;
  va_start(args, text);
  vsnprintf(out, size, text, args);
  va_end(args);
}

static double (*const by_pointer)(double, int, double, float, double, double, double, double, double, double) = doubles;

int main(int argc, char **argv) {
  (void)argv;
  printf("%ld\n", many(argc, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  printf("%.17g ", doubles(argc, 2, 3, 4.5f, 5, 6, 7, 8, 9, 10.25));
  printf("%.17g\n", (argc ? by_pointer : 0)(argc * 2, 3, 3, 4.25f, 5, 6, 7, 8, 9, 10.25));
  struct pair p = {argc, 20};
  struct wide w = {argc, 2.5, -3.5};
  for (int i = 0; i < 9; i++) p = swap(p, i), w = turn(w, 1.25 + i);
  struct big b = fill(argc);
  long sum = 0;
  for (int i = 0; i < 12; i++) sum ^= b.v[i];
  printf("%ld %ld %.17g %.17g %.17g %ld\n", p.a, p.b, w.x, w.y, w.z, sum);
  double complex z = argc + 0.5 * I;
  for (int i = 0; i < 5; i++) z = square(z) * 0.25;
  long whole;
  double part;
  both(&whole, &part, creal(z) * 10);
  printf("%.12g %.12g %ld %.12g\n", creal(z), cimag(z), whole, part);
  int depth = 0;
  printf("%d %d\n", is_even(3000001u + (unsigned)argc, &depth), depth);
  printf("%ld\n", deep(20000 * argc, 0.25));
  printf("%ld %ld\n", array(50 + argc, thrice), array(60, minus));
  printf("%ld %ld\n", busy(argc, 11, mix, 1.5), busy(argc * 3, 5, either, -2.5));
  char text[100];
  format(text, sizeof text, "%d %s %.3f %c %ld %g", argc, "text", 2.71828, 'q', -5L, 1e-7);
  puts(text);
  return (int)(sum & 0x3f);
}
