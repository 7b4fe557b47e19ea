// What a handler of a fault sees of every register, and what it changes.
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

typedef struct seen {
  uint64_t x[31], sp, pc, pstate, fault;
  uint64_t v[64];
  uint32_t fpsr, fpcr;
} seen;

static seen at_fault;
static uint64_t answer = 1000;

// struct fpsimd_context, the first of the contexts behind the general registers
typedef struct fp {
  uint32_t magic, size, fpsr, fpcr;
  uint64_t v[64];
} fp;

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)number;
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
  fp *f = (fp *)(((uintptr_t)m + 34 * 8 + 8 + 15) & ~(uintptr_t)15);
  memcpy(at_fault.x, m->regs, sizeof at_fault.x);
  at_fault.sp = m->sp, at_fault.pc = m->pc, at_fault.pstate = m->pstate, at_fault.fault = (uintptr_t)info->si_addr;
  memcpy(at_fault.v, f->v, sizeof f->v);
  at_fault.fpsr = f->fpsr, at_fault.fpcr = f->fpcr;
  m->regs[0] = answer++;   // the load's result
  m->pc += 4;
  m->regs[22] ^= 0xff00;   // and one of those that callers keep
}

// Fills registers with what depends on `seed`, loads from `addr` in the middle of computing, and sums up all of them.
uint64_t faulting(uint64_t seed, uint64_t addr, double *d);
__asm__(
    ".text\n.globl faulting\n.type faulting, %function\nfaulting:\n"
    "  stp x29, x30, [sp, #-112]!\n  mov x29, sp\n  stp x19, x20, [sp, #16]\n  stp x21, x22, [sp, #32]\n"
    "  stp x23, x24, [sp, #48]\n  stp x25, x26, [sp, #64]\n  stp x27, x28, [sp, #80]\n  str d9, [sp, #96]\n"
    "  str x2, [sp, #104]\n"
    "  mov x19, x0\n  add x20, x0, #1\n  eor x21, x0, x20\n  mul x22, x21, x20\n  mov x23, x1\n  movz x24, #0x1234\n"
    "  lsl x25, x0, #7\n  mvn x26, x0\n  add x27, x25, x26\n  sub x28, x27, x22\n  add x3, x22, x28\n  add x4, x3, x19\n"
    "  scvtf d9, x0\n  fmov d1, #2.5\n  fmul d9, d9, d1\n  dup v17.2d, x22\n  add v17.2d, v17.2d, v17.2d\n"
    "  cmp x19, #5\n"
    "fault_here:\n  ldr x0, [x1, #8]\n"
    "  cset x5, hi\n  add x0, x0, x19\n  add x0, x0, x20\n  eor x0, x0, x21\n  add x0, x0, x22\n  add x0, x0, x24\n"
    "  sub x0, x0, x25\n  add x0, x0, x26\n  eor x0, x0, x27\n  add x0, x0, x28\n  add x0, x0, x3\n  eor x0, x0, x4\n"
    "  add x0, x0, x5\n  mov x6, v17.d[1]\n  add x0, x0, x6\n  ldr x2, [sp, #104]\n  str d9, [x2]\n"
    "  ldr d9, [sp, #96]\n  ldp x27, x28, [sp, #80]\n  ldp x25, x26, [sp, #64]\n  ldp x23, x24, [sp, #48]\n"
    "  ldp x21, x22, [sp, #32]\n  ldp x19, x20, [sp, #16]\n  ldp x29, x30, [sp], #112\n  ret\n");

extern const char fault_here[];

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  uint64_t good[2] = {0, 77};
  double d = 0;
  printf("no fault: %llx", (unsigned long long)faulting(9, (uintptr_t)good, &d));
  printf(" %g\n", d);
  for (uint64_t seed = 3; seed < 8; seed++) {
    uint64_t sum = faulting(seed, 64 + seed * 8, &d);
    printf("seed %llu: %llx %g\n", (unsigned long long)seed, (unsigned long long)sum, d);
    printf(" fault %llx, pc %s, flags %llx, sp is x29: %d\n", (unsigned long long)at_fault.fault,
           at_fault.pc == (uintptr_t)fault_here ? "there" : "elsewhere", (unsigned long long)at_fault.pstate >> 28,
           at_fault.sp == at_fault.x[29]);
    for (int i = 19; i < 29; i++) printf(" %llx", (unsigned long long)at_fault.x[i]);
    printf(" %llx %llx d9 %llx v17 %llx %llx\n", (unsigned long long)at_fault.x[0], (unsigned long long)at_fault.x[4],
           (unsigned long long)at_fault.v[18], (unsigned long long)at_fault.v[34], (unsigned long long)at_fault.v[35]);
  }
  return 0;
}
