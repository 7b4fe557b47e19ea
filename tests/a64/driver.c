/* The C side of the differential test: runs emitted functions over state records (tests/a64/states.py). A trap or
 * supervisor call leaves its pc in x30 and its word in x29. */
#include <setjmp.h>
#include <stddef.h>

#include "rt.h"

typedef struct record {
  uint64_t x[31];
  uint64_t sp, nzcv, fpcr, fpsr, trap;
  rt_v128 v[32];
  uint8_t gap[32];
  uint8_t mem[448];
} record;

static record *current;
static jmp_buf out;

void rt_spin(rt_cpu *c, uint64_t pc, int stores) { (void)c, (void)pc, (void)stores; }

void rt_svc(rt_cpu *c, uint64_t pc, uint32_t imm16) {
  c->x[30] = pc;
  current->trap = 0x10000 + imm16;
}

_Noreturn void rt_trap(rt_cpu *c, rt_trap_kind kind, uint64_t pc, uint32_t word) {
  c->x[30] = pc, c->x[29] = word;
  current->trap = 1 + kind;
  longjmp(out, 1);
}

void rt_code_written(rt_cpu *c, uint64_t pc, uint64_t addr) { (void)c, (void)pc, (void)addr; }

uint64_t rt_cntvct(rt_cpu *c) { return c->tpidrro_el0 + 1; }

/* functions */

static void (*const table[])(rt_cpu *) = {/* table */};

void harness_run(unsigned index, record *records, unsigned count, uint8_t *memory) {
  for (unsigned n = 0; n < count; n++) {
    record *r = current = &records[n];
    rt_cpu c = {.sp = r->sp, .memory = memory};
    c.tpidrro_el0 = 0x7250;
    memcpy(c.x, r->x, sizeof c.x);
    memcpy(c.v, r->v, sizeof c.v);
    c.nf = r->nzcv >> 31 & 1, c.zf = r->nzcv >> 30 & 1, c.cf = r->nzcv >> 29 & 1, c.vf = r->nzcv >> 28 & 1;
    c.monitor_addr = ~UINT64_C(0);
    rt_set_fpcr(&c, (uint32_t)r->fpcr);
    rt_set_fpsr(&c, (uint32_t)r->fpsr);
    if (setjmp(out) == 0) table[index](&c);
    memcpy(r->x, c.x, sizeof c.x);
    memcpy(r->v, c.v, sizeof c.v);
    r->sp = c.sp, r->fpcr = rt_get_fpcr(&c), r->fpsr = rt_get_fpsr(&c);
    rt_set_fpcr(&c, 0);
    r->nzcv = (uint64_t)c.nf << 31 | c.zf << 30 | c.cf << 29 | c.vf << 28;
  }
}
