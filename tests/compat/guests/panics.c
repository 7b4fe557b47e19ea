// A fault that becomes a call: the handler pushes the return address and goes on in a function, which leaves by
// unwinding to whoever recovers. That is how Go's runtime makes a panic of a nil pointer.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

static jmp_buf recovery;
static volatile uintptr_t fault_pc, fault_addr;
static int depth;

// Called by nobody: x30 is the instruction that faulted.
__attribute__((noinline, noreturn, used)) static void panic(void) {
  fault_pc = (uintptr_t)__builtin_return_address(0);
  longjmp(recovery, 1 + depth);
}

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)number;
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
  fault_addr = (uintptr_t)info->si_addr;
  m->sp -= 16;
  *(uint64_t *)m->sp = m->regs[30];
  m->regs[30] = m->pc;
  m->pc = (uintptr_t)panic;
}

typedef struct node {
  struct node *left;
  long value;
} node;

long value_of(const node *n);
__asm__(".text\n.globl value_of\n.type value_of, %function\nvalue_of:\n  ldr x0, [x0]\nvalue_at:\n  ldr x0, [x0, #8]\n  ret\n");
extern const char value_at[];

__attribute__((noinline)) static long sum(const node *n, int levels) {
  volatile long pad[16];
  for (int i = 0; i < 16; i++) pad[i] = levels + i;
  depth = levels;
  if (levels == 0) return value_of(n) + pad[3];
  return sum(n, levels - 1) + pad[levels % 16];
}

static int recovers(const node *n, int levels, long *result) {
  int code = setjmp(recovery);
  if (code == 0) *result = sum(n, levels);
  return code;
}

int main(void) {
  stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  node leaf = {NULL, 5}, root = {&leaf, 4};
  long result = -1;
  int code = recovers(&root, 6, &result);
  printf("%d %ld\n", code, result);
  for (int i = 0; i < 3000; i++) {
    result = -1;
    code = recovers(&leaf, i % 7, &result);
    if (i < 4 || i == 2999)
      printf("%d %ld, addr %lx, %s\n", code, result, (unsigned long)fault_addr,
             fault_pc == (uintptr_t)value_at ? "at the load" : "elsewhere");
  }
  return 0;
}
