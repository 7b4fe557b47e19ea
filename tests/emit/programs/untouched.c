/* Functions that hand on, through a pointer, arguments which they do not touch: what only the pointer's target reads has
 * to reach it from the caller's caller. */
#include <stdint.h>
#include <stdio.h>

#define KEEP __attribute__((noinline, used))

static int count;
static int (*volatile hook)(const char *, ...) = printf;

static KEEP int integers(const char *form, long a, long b, long c, long d, long e, long f) {
  int length = hook(form, a, b, c, d, e, f);
  count++;
  return length;
}
static KEEP int doubles(const char *form, double a, double b, double c) {
  int length = hook(form, a, b, c);
  count++;
  return length;
}
static KEEP int further(const char *form, double a, double b, double c) { return doubles(form, a, b, c) + 1; }

/* No word of data or code holds the address of the second: it is reached by an offset kept in 32 bits. */
static KEEP long near(long x) { return x + 7; }
static KEEP double far(long a, long b, long c, long d, long e, long f, double x, double y, double z) {
  return (double)(a - b * c + d * e - f) + x * y - z;
}
__asm__(".section .rodata.offset,\"a\"\noffset: .long far - near\n.text\n");
extern const int32_t offset __attribute__((visibility("hidden")));

typedef double (*nine)(long, long, long, long, long, long, double, double, double);
static nine volatile hidden;
static KEEP double all(long a, long b, long c, long d, long e, long f, double x, double y, double z) {
  double result = hidden(a, b, c, d, e, f, x, y, z);
  count++;
  return result;
}

int main(int argc, char **argv) {
  (void)argv;
  hidden = (nine)((char *)near + offset);
  for (long i = argc; i < 4; i++) {
    integers("%ld %ld %ld %ld %ld %ld\n", i, i + 1, i * 3, i * 5 + argc, i * 7, i + 9 * argc);
    further("%g %g %a\n", i * 1.5, i / 3.0, i + argc * 0.25);
    printf("%g\n", all(i, i * 2, i * 3, i * 4, i * 5, i * 6, i * 0.5, i / 4.0, i - 0.125));
  }
  printf("%ld %d\n", near(argc), count);
  return count;
}
