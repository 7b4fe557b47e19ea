/* Recursion, function pointers, switch, setjmp and longjmp through several frames, a comparison callback. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf outer, inner;

__attribute__((noinline)) static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

__attribute__((noinline)) static void dive(int depth, volatile int *trail) {
  trail[depth] = depth * 3;
  if (depth == 0) longjmp(outer, 7);
  dive(depth - 1, trail);
  printf("never printed\n");
}

/* Both activations have set a jump of their own; the landing must find the right one. */
__attribute__((noinline)) static int nested(int level) {
  jmp_buf mine;
  jmp_buf *volatile saved = &mine;
  volatile int kept = level * 11;
  const int got = setjmp(mine);
  if (got) return kept + got;
  if (level == 0) {
    memcpy(inner, *saved, sizeof inner);
    longjmp(mine, 5);
  }
  const int below = nested(level - 1);
  printf("nested %d: below %d kept %d\n", level, below, kept);
  if (level == 2) longjmp(mine, 100);
  return below + kept;
}

static int compare(const void *a, const void *b) {
  const int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

static int add(int a, int b) { return a + b; }
static int multiply(int a, int b) { return a * b; }
static int minus(int a, int b) { return a - b; }

static int choose(int x) {
  switch (x) {
    case 0: return fib(5);
    case 1: return 9;
    case 2: return -4 * x;
    case 3: return 77;
    case 4: puts("four"); return 6;
    case 5: return 1234;
    case 6: return x ^ 0x55;
    case 9: return 2;
    default: return 0;
  }
}

int main(int argc, char **argv) {
  (void)argv;
  printf("fib %d\n", fib(argc + 17));
  int (*table[])(int, int) = {add, multiply, minus};
  int value = argc;
  for (int i = 0; i < 30; i++) value = table[(value & 0x7fff) % 3](value, i + 1) & 0xffffff;
  printf("table %d\n", value);
  for (int i = -1; i < 11; i++) printf("%d ", choose(i));
  puts("");
  volatile int trail[20] = {0};
  const int landed = setjmp(outer);
  printf("landed %d\n", landed);
  if (!landed) dive(15, trail);
  printf("trail %d %d\n", trail[0], trail[15]);
  printf("nested %d\n", nested(3));
  const int n = 2000;
  int *numbers = malloc((size_t)n * sizeof *numbers);
  unsigned state = 12345;
  for (int i = 0; i < n; i++) numbers[i] = (int)((state = state * 1103515245u + 12345u) >> 8);
  qsort(numbers, (size_t)n, sizeof *numbers, compare);
  unsigned hash = 0;
  for (int i = 0; i < n; i++) hash = hash * 31 + (unsigned)numbers[i];
  printf("sorted %08x %d %d\n", hash, numbers[0], numbers[n - 1]);
  free(numbers);
  return 42;
}
