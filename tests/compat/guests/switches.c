// Coroutines that switch stacks with a few instructions of their own, as libraries for them do.
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct context {
  uint64_t x[12]; // x19..x30
  uint64_t sp;
  double d[8]; // d8..d15
} context;

// Saves where it is called and what callees keep, and goes on where `to` was left.
void switch_to(context *from, const context *to);
__asm__(
    ".text\n.globl switch_to\n.type switch_to, %function\nswitch_to:\n"
    "  stp x19, x20, [x0]\n  stp x21, x22, [x0, #16]\n  stp x23, x24, [x0, #32]\n  stp x25, x26, [x0, #48]\n"
    "  stp x27, x28, [x0, #64]\n  stp x29, x30, [x0, #80]\n  mov x9, sp\n  str x9, [x0, #96]\n"
    "  stp d8, d9, [x0, #104]\n  stp d10, d11, [x0, #120]\n  stp d12, d13, [x0, #136]\n  stp d14, d15, [x0, #152]\n"
    "  ldp x19, x20, [x1]\n  ldp x21, x22, [x1, #16]\n  ldp x23, x24, [x1, #32]\n  ldp x25, x26, [x1, #48]\n"
    "  ldp x27, x28, [x1, #64]\n  ldp x29, x30, [x1, #80]\n  ldr x9, [x1, #96]\n  mov sp, x9\n"
    "  ldp d8, d9, [x1, #104]\n  ldp d10, d11, [x1, #120]\n  ldp d12, d13, [x1, #136]\n  ldp d14, d15, [x1, #152]\n"
    "  ret\n"
    // The first thing a coroutine does: its function is in x19, its argument in x20.
    ".globl begin\n.type begin, %function\nbegin:\n  mov x0, x20\n  blr x19\n  brk #1\n");
void begin(void);

typedef struct coroutine {
  context own, *caller;
  long value;
  int done;
  char *stack;
} coroutine;

static context main_context;

static long yield(coroutine *self, long value) {
  self->value = value;
  switch_to(&self->own, self->caller);
  return self->value;
}

static long resume(coroutine *co, context *caller, long value) {
  co->caller = caller;
  co->value = value;
  switch_to(caller, &co->own);
  return co->value;
}

static coroutine *start(void (*function)(coroutine *)) {
  coroutine *co = calloc(1, sizeof *co);
  co->stack = malloc(65536);
  co->own.x[0] = (uintptr_t)function;
  co->own.x[1] = (uintptr_t)co;
  co->own.x[11] = (uintptr_t)begin;
  co->own.sp = (uintptr_t)(co->stack + 65536) & ~(uintptr_t)15;
  return co;
}

static void finish(coroutine *co) {
  co->done = 1;
  for (;;) yield(co, -1);
}

static void count(coroutine *self) {
  double weight = 1.5;
  long sum = self->value;
  for (long i = 0; i < 5; i++) {
    long got = yield(self, sum + (long)weight);
    sum += got * i;
    weight = weight * 1.25 + (double)got;
  }
  finish(self);
}

// Yields from inside a recursion: every level of it is on the coroutine's stack.
static void walk(coroutine *self, long low, long high) {
  if (low > high) return;
  long middle = (low + high) / 2;
  walk(self, low, middle - 1);
  yield(self, middle);
  walk(self, middle + 1, high);
}

static void tree(coroutine *self) {
  walk(self, 1, 40);
  finish(self);
}

// A coroutine that drives another one, and leaves a loop of it by longjmp.
static void nested(coroutine *self) {
  coroutine *inner = start(tree);
  context here;
  jmp_buf out;
  long last = 0;
  if (!setjmp(out))
    for (;;) {
      long value = resume(inner, &here, 0);
      if (value > 25) longjmp(out, 1);
      last = yield(self, value * 2);
    }
  yield(self, 1000 + last);
  finish(self);
}

static void primes(coroutine *self) {
  for (long n = 2;; n++) {
    int prime = 1;
    for (long d = 2; d * d <= n; d++) prime &= n % d != 0;
    if (prime) yield(self, n);
  }
}

int main(void) {
  coroutine *co = start(count);
  for (long i = 10; !co->done; i++) printf("%ld ", resume(co, &main_context, i));
  puts("");
  co = start(tree);
  for (long value; (value = resume(co, &main_context, 0)), !co->done;) printf("%ld ", value);
  puts("");
  co = start(nested);
  for (long i = 0, value; (value = resume(co, &main_context, i)), !co->done; i++) printf("%ld ", value);
  puts("");
  coroutine *two[2] = {start(primes), start(primes)};
  long sum = 0;
  for (long i = 0; i < 20000; i++) sum += resume(two[i % 3 == 0], &main_context, 0);
  printf("%ld\n", sum);
  return 0;
}
