/* Double and float arithmetic kept in registers across loops and calls, conversions, variadic arguments, printing. */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static double sum(int n, ...) {
  va_list args;
  va_start(args, n);
  double total = 0;
  for (int i = 0; i < n; i++) total += i & 1 ? va_arg(args, int) : va_arg(args, double);
  va_end(args);
  return total;
}

__attribute__((noinline)) static double step(double x, double *state) {
  *state = *state * 0.5 + x;
  return sqrt(fabs(*state)) - x;
}

/* Callee-saved floating-point registers live across calls. */
__attribute__((noinline)) static double walk(int n) {
  double a = 1.5, b = -2.25, c = 0.125, state = 3.0;
  for (int i = 0; i < n; i++) {
    a = a * 1.0009765625 + step(b, &state);
    b = b - c * sin(a);
    c += 1.0 / (i + 2);
    if (a > 1e6) a = 1.0;
  }
  return a + b + c + state;
}

__attribute__((noinline)) static float single(float f, int n) {
  for (int i = 0; i < n; i++) f = f * 1.1f + 0.3f - (float)i / 7.0f;
  return f;
}

__attribute__((noinline)) static void matrix(float *out, const float *a, const float *b) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      float total = 0;
      for (int k = 0; k < 4; k++) total += a[i * 4 + k] * b[k * 4 + j];
      out[i * 4 + j] = total;
    }
}

int main(int argc, char **argv) {
  (void)argv;
  double x = 0;
  for (int i = 1; i < 2000; i++) x += sin(i * 0.1) / i + sqrt(i) + pow(1.0001, i) * cos(i);
  printf("%.17g %a\n", x, x);
  printf("%.17g\n", walk(500 * argc));
  printf("%.9g\n", single((float)argc, 100));
  printf("%g\n", sum(5, 1.5, 2, -3.0, 1000000, 1e10));
  float a[16], b[16], c[16];
  for (int i = 0; i < 16; i++) a[i] = (float)i / 3, b[i] = (float)(16 - i) * 0.7f;
  matrix(c, a, b);
  for (int i = 0; i < 16; i++) printf("%.9g ", c[i]);
  puts("");
  const double odd[] = {1e300, -1e300, 0.5, -0.5, 2147483648.0, -9.3e18, NAN, INFINITY, 1e-320};
  for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++)
    printf("%g floor %g round %g exp %g frac %g\n", odd[i], floor(odd[i]), round(odd[i]), exp(odd[i] / 1e298),
           fmod(odd[i], 7.0));
  uint64_t hash = 1469598103934665603u;
  unsigned char bytes[777];
  for (int i = 0; i < 777; i++) bytes[i] = (unsigned char)(i * 7 + argc);
  for (int round = 0; round < 50; round++)
    for (int i = 0; i < 777; i++) hash = (hash ^ bytes[i]) * 1099511628211u;
  char text[120];
  snprintf(text, sizeof text, "%s|%10.3f|%-5d|%#x|%lld|%c|%016llx", "text", 3.14159, 42, 255, -123456789012LL, 'z',
           (unsigned long long)hash);
  puts(text);
  printf("%zu %d\n", strlen(text), memcmp(bytes, bytes + 256, 100));
  return 7;
}
