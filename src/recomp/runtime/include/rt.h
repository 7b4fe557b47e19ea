/* The contract between emitted code and its runtime. Emitted code includes this header and nothing else.
 *
 * Guest addresses are 32 bits wide: every access goes to `M + (uint32_t)address` inside one reservation of 4 GiB and
 * a guard, so that a wild guest pointer reaches guest memory or a fault, never the host's.
 */
#ifndef RT_H
#define RT_H

#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A 128-bit register; other lane types are casts of it. */
typedef uint64_t rt_v128 __attribute__((vector_size(16)));

/* The state of one guest thread. Emitted functions keep registers in locals and spill what is live around calls. */
typedef struct rt_cpu {
  uint64_t x[31];
  uint64_t sp;
  uint32_t nf, zf, cf, vf; /* each 0 or 1 */
  uint32_t fpcr, fpsr;
  rt_v128 v[32];
  uint64_t tpidr_el0, tpidrro_el0;
  uint64_t pc;           /* where a trap or a supervisor call happened */
  uint64_t monitor_addr; /* exclusive monitor: address, ~0 = open; and the value seen there */
  rt_v128 monitor_value;
  uint8_t *memory; /* the reservation's base */
  void *thread;    /* the runtime's own */
} rt_cpu;

/* An emitted function: runs until guest control leaves it and returns the guest address where control goes. */
typedef uint64_t (*rt_func)(rt_cpu *c);

/* Why a guest cannot go on. */
typedef enum rt_trap_kind {
  RT_TRAP_UNDEFINED,   /* a word that no table knows, udf, or what EL0 may not do */
  RT_TRAP_BREAKPOINT,  /* brk, hlt */
  RT_TRAP_UNSUPPORTED, /* a known instruction without semantics yet */
} rt_trap_kind;

/* Provided by the runtime. Registers are in *c before each call, and to be reloaded after it. */
void rt_svc(rt_cpu *c, uint64_t pc, uint32_t imm16);
/* The virtual counter, which counts RT_CNTFRQ times a second. */
#define RT_CNTFRQ 19200000u
uint64_t rt_cntvct(rt_cpu *c);
_Noreturn void rt_trap(rt_cpu *c, rt_trap_kind kind, uint64_t pc, uint32_t word);
/* Calls the function at a guest address and returns the guest address it goes to; a target nobody discovered is
 * recorded as a miss (site, target) and ends the run in order. */
uint64_t rt_call_indirect(rt_cpu *c, uint64_t site, uint64_t target);

/* Provided by the emitted project. */
typedef struct rt_entry {
  uint32_t pc;
  rt_func function;
} rt_entry;

typedef struct rt_segment {
  const char *name;
  uint32_t base, size;
  uint32_t init_offset, init_size; /* in the guest data blob */
  uint8_t read, write, execute;
} rt_segment;

typedef struct rt_module {
  const char *name;
  const char *abi; /* "linux" */
  uint32_t entry;
  uint32_t phdr, phent, phnum;
  const rt_segment *segments;
  uint32_t segment_count;
  const rt_entry *entries; /* sorted by pc */
  uint32_t entry_count;
  const uint8_t *blob;
  uint64_t blob_size;
} rt_module;

extern const rt_module rt_guest;

/* Guest memory. */
#define RT_ACCESS(bits, type)                                                                   \
  static inline type rt_ld##bits(const uint8_t *m, uint64_t addr) {                             \
    type value;                                                                                 \
    memcpy(&value, m + (uint32_t)addr, sizeof value);                                           \
    return value;                                                                               \
  }                                                                                             \
  static inline void rt_st##bits(uint8_t *m, uint64_t addr, type value) {                       \
    memcpy(m + (uint32_t)addr, &value, sizeof value);                                           \
  }
RT_ACCESS(8, uint8_t)
RT_ACCESS(16, uint16_t)
RT_ACCESS(32, uint32_t)
RT_ACCESS(64, uint64_t)
RT_ACCESS(128, rt_v128)
#undef RT_ACCESS

#include "rt_atomic.h"
#include "rt_int.h"
#include "rt_fp.h"
#include "rt_simd.h"

#ifdef __cplusplus
}
#endif
#endif
