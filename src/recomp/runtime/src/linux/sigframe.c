#include "sigframe.h"

#include <string.h>

#include "../memory.h"

#define FPSIMD_MAGIC 0x46508001

typedef struct fpsimd_context {
  uint32_t magic, size, fpsr, fpcr;
  uint8_t v[32][16];
} fpsimd_context;

typedef struct signal_frame {
  rt_siginfo info;
  uint64_t flags, link;
  uint64_t stack_sp, stack_flags, stack_size;
  uint64_t mask;
  uint8_t unused[120];
  _Alignas(16) uint64_t fault_addr;
  uint64_t x[31], sp, pc, pstate;
  _Alignas(16) fpsimd_context fpsimd;
  uint8_t reserved[4096 - sizeof(fpsimd_context)]; /* zero: the end of the list of contexts */
} signal_frame;

typedef struct frame_record {
  uint64_t fp, lr;
} frame_record;

_Static_assert(sizeof(rt_siginfo) == 128 && sizeof(signal_frame) == 4688, "the kernel's sizes");

static uint64_t pstate_of(const rt_cpu *c) {
  return (uint64_t)c->nf << 31 | (uint64_t)c->zf << 30 | (uint64_t)c->cf << 29 | (uint64_t)c->vf << 28;
}

static void fill(signal_frame *f, const rt_thread *t, uint64_t pc, const rt_siginfo *info, uint64_t mask) {
  const rt_cpu *c = &t->cpu;
  memset(f, 0, sizeof *f);
  f->info = *info;
  f->stack_sp = t->altstack;
  f->stack_size = t->altstack_size;
  f->stack_flags = t->altstack_size ? 0 : 2; /* SS_DISABLE */
  f->mask = mask;
  f->fault_addr = info->number == 11 || info->number == 7 ? info->addr : 0;
  memcpy(f->x, c->x, sizeof f->x);
  f->sp = c->sp;
  f->pc = pc;
  f->pstate = pstate_of(c);
  f->fpsimd = (fpsimd_context){.magic = FPSIMD_MAGIC, .size = sizeof(fpsimd_context), .fpsr = c->fpsr, .fpcr = c->fpcr};
  memcpy(f->fpsimd.v, c->v, sizeof f->fpsimd.v);
}

bool rt_sigframe_push(rt_thread *t, uint64_t sp, uint64_t pc, const rt_siginfo *info, uint64_t mask) {
  rt_cpu *c = &t->cpu;
  uint64_t record_addr = (sp & ~UINT64_C(15)) - sizeof(frame_record);
  uint64_t frame_addr = record_addr - sizeof(signal_frame);
  frame_record *record = rt_memory_at(record_addr, sizeof *record, RT_WRITE);
  signal_frame *frame = rt_memory_at(frame_addr, sizeof *frame, RT_WRITE);
  if (!record || !frame) return false;
  *record = (frame_record){c->x[29], c->x[30]};
  fill(frame, t, pc, info, mask);
  c->x[0] = (uint64_t)info->number;
  c->x[1] = frame_addr;
  c->x[2] = frame_addr + sizeof(rt_siginfo);
  c->x[29] = record_addr;
  c->x[30] = RT_VDSO_BASE;
  c->sp = frame_addr;
  return true;
}

bool rt_sigframe_pop(rt_thread *t, uint64_t *pc, uint64_t *mask) {
  rt_cpu *c = &t->cpu;
  const signal_frame *f = rt_memory_at(c->sp, sizeof *f, RT_READ);
  if (!f || f->fpsimd.magic != FPSIMD_MAGIC) return false;
  memcpy(c->x, f->x, sizeof f->x);
  c->sp = f->sp;
  c->nf = f->pstate >> 31 & 1;
  c->zf = f->pstate >> 30 & 1;
  c->cf = f->pstate >> 29 & 1;
  c->vf = f->pstate >> 28 & 1;
  c->fpsr = f->fpsimd.fpsr;
  c->fpcr = f->fpsimd.fpcr;
  memcpy(c->v, f->fpsimd.v, sizeof f->fpsimd.v);
  c->monitor_addr = UINT64_MAX;
  *pc = f->pc;
  *mask = f->mask;
  return true;
}
