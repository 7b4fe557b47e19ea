/* The contract between emitted code and its runtime. Emitted code includes this header and nothing else.
 *
 * Guest addresses are 32 bits wide: every access goes to `M + (uint32_t)address`, or to `M + offset + (uint32_t)base`
 * with a constant offset of up to 64 KiB, inside one reservation of 4 GiB between guards, so that a wild guest pointer
 * reaches guest memory or a fault, never the host's.
 */
#ifndef RT_H
#define RT_H

#include <setjmp.h>
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
  uint64_t resume;       /* the entry inside a function that the next call goes to; 0 = its start */
  uint64_t monitor_addr; /* exclusive monitor: address, ~0 = open; and the value seen there */
  rt_v128 monitor_value;
  uint8_t *memory; /* the reservation's base */
  struct rt_activation *active; /* the innermost one of a function that calls setjmp or its like */
  void *thread;    /* the runtime's own */
} rt_cpu;

/* Where emitted functions hold a `rt_cpu`: at its middle, so that x86-64 reaches all general registers with an offset of
 * one byte. */
typedef struct rt_near rt_near;
#define RT_MIDDLE 128
static inline rt_near *rt_near_of(rt_cpu *c) { return (rt_near *)((char *)c + RT_MIDDLE); }
static inline rt_cpu *rt_cpu_of(rt_near *near) { return (rt_cpu *)((char *)near - RT_MIDDLE); }

/* A running function with entries behind calls that may return again. A signal handler that leaves by longjmp comes back
 * to it so; everything else unwinds to it. `sp` is the guest's when it began. */
typedef struct rt_activation {
  struct rt_activation *outer;
  uint64_t start, sp;
  jmp_buf host;
} rt_activation;

/* An emitted function: runs until guest control leaves it and returns the guest address where control goes. That is
 * the address behind the call when the guest returns, and any other address when it unwinds (longjmp, exceptions,
 * stack switches): a caller that did not expect it returns it further, down to rt_run. */
typedef uint64_t (*rt_func)(rt_near *near);

/* What every function is where rt_module.balanced is set: it always returns to its caller, takes what the registers
 * hold that most calls use, whatever `*c` has for them, and returns what x0 then holds. */
typedef uint64_t (*rt_value_func)(rt_near *near, uint64_t sp, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);

/* Why a guest cannot go on. */
typedef enum rt_trap_kind {
  RT_TRAP_UNDEFINED,   /* a word that no table knows, udf, or what EL0 may not do */
  RT_TRAP_BREAKPOINT,  /* brk, hlt */
  RT_TRAP_UNSUPPORTED, /* a known instruction without semantics yet: rt_unsupported_text(word) */
  RT_TRAP_LEFT_OUT,    /* the way into a function that is left out on purpose */
} rt_trap_kind;

/* Provided by the runtime. Registers are in *c before each call, and to be reloaded after it. */
void rt_svc(rt_cpu *c, uint64_t pc, uint32_t imm16);
/* A loop at `pc` goes the same way in every turn until somebody else writes memory. `stores`: it writes some itself, as
 * who wants a lock does, and need not go the same way again. No registers need be in *c, and none are changed there. */
void rt_spin(rt_cpu *c, uint64_t pc, int stores);
/* The virtual counter, which counts RT_CNTFRQ times a second. */
#define RT_CNTFRQ 19200000u
uint64_t rt_cntvct(rt_cpu *c);
_Noreturn void rt_trap(rt_cpu *c, rt_trap_kind kind, uint64_t pc, uint32_t word);
/* The guest fetches the code at `addr` anew: if it is the program's own and has changed, the run ends. */
void rt_code_written(rt_cpu *c, uint64_t pc, uint64_t addr);
/* A branch at `site` (0 = a return) went to `target`, which nobody discovered: record it, end the run in order. */
_Noreturn void rt_miss(rt_cpu *c, uint64_t site, uint64_t target);

/* Provided by the emitted project. */
typedef struct rt_entry {
  uint32_t pc;
  uint32_t start; /* of the function it lies in: differs from pc where control enters in the middle */
  rt_func function; /* that function; rt_cpu.resume says where in it */
} rt_entry;

typedef struct rt_segment {
  const char *name;
  uint32_t base, size;
  uint32_t init_offset, init_size; /* in the guest data blob */
  uint8_t read, write, execute;
} rt_segment;

typedef struct rt_insn_text {
  uint32_t word;
  const char *text;
} rt_insn_text;

/* What of its registers a handler of faults is told exactly: those of the last call; pc, x28..x30 and sp; all. */
enum { RT_FAULTS_NONE, RT_FAULTS_FRAME, RT_FAULTS_ALL };

/* A function's name, for reports. */
typedef struct rt_name {
  uint32_t pc;
  const char *text;
} rt_name;

/* What title.toml's [stubs] says about a service command ("NAME:NUMBER") or a service ("service NAME"). */
typedef struct rt_stub {
  const char *name;
  const char *action; /* "log", "noop", "panic" */
} rt_stub;

/* A module of a "horizon" program; addresses are the guest's, sizes bytes. bss follows the data. */
typedef struct rt_image {
  const char *name;
  uint32_t base, entry;
  uint32_t text, text_size;
  uint32_t rodata, rodata_size;
  uint32_t data, data_size, bss_size;
  uint32_t mod0;      /* 0 = it has none */
  uint32_t relocated; /* its words are stored as relocation leaves them: nobody else links it */
} rt_image;

typedef struct rt_module {
  const char *name;
  const char *abi; /* "linux" or "horizon" */
  uint32_t entry;
  uint32_t phdr, phent, phnum;
  uint32_t balanced; /* every function provably returns where it was called from: all are rt_value_func */
  const rt_segment *segments;
  uint32_t segment_count;
  const rt_entry *entries; /* sorted by pc */
  uint32_t entry_count;
  const uint32_t *relays; /* entries of functions that return once more to a live activation (sigsetjmp); sorted */
  uint32_t relay_count;
  const rt_insn_text *unsupported; /* sorted by word */
  uint32_t unsupported_count;
  const uint8_t *blob;
  uint64_t blob_size;
  uint8_t faults;   /* RT_FAULTS_...: emitted code has an RT_POINT before each access */
  uint8_t realtime; /* the mode unless RECOMP_RT_REALTIME says otherwise */
  const rt_name *names; /* of functions that have one: sorted by pc */
  uint32_t name_count;
  const rt_image *images; /* "horizon": the modules, the program's own first */
  uint32_t image_count;
  const rt_stub *stubs; /* "horizon" */
  uint32_t stub_count;
} rt_module;

extern const rt_module rt_guest;

/* Dispatch (src/dispatch.c). */

/* Make the table of rt_guest's functions; once, before anything else runs. */
void rt_dispatch_init(void);
/* Lets control that arrives at a guest address, one in all, go to a function of the host's. */
void rt_dispatch_host(uint32_t pc, uint64_t (*function)(rt_cpu *c));
/* Run guest code from `pc` until control reaches the guest address `until`; 1 (never a target) = for ever. */
void rt_run(rt_cpu *c, uint64_t pc, uint64_t until);
/* One trip of that loop: enter the function at `pc`; returns where control went that none of its callers expected. */
uint64_t rt_enter(rt_cpu *c, uint64_t pc);
/* Go on at `pc` in the activation that has it as an entry, leaving every later one; returns if there is none. */
void rt_unwind(rt_cpu *c, uint64_t pc);
/* The entry at a guest address, function start or not; NULL if there is none. */
const rt_entry *rt_find_entry(uint64_t pc);
/* The text of a word that trapped as unsupported, or NULL. */
const char *rt_unsupported_text(uint32_t word);
/* Where a call or jump goes that the table does not know: an entry inside a function is reached by unwinding to it
 * (its own activation may be live), what is no entry is a miss. */
uint64_t rt_enter_slow(rt_cpu *c, uint64_t site, uint64_t target);
/* Where rt_module.balanced is set: the function at a guest address that the table does not know, or a miss. */
rt_func rt_lookup_slow(rt_cpu *c, uint64_t site, uint64_t target);

#define RT_LIKELY(x) __builtin_expect(!!(x), 1)
#define RT_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Function starts by guest word, from rt_functions_low on: one load behind the address, which calls through pointers wait
 * for. The address is rotated by two, so that a misaligned one is far behind the table's end. */
extern rt_func *rt_functions;
extern uint32_t rt_functions_low, rt_functions_count;

static inline rt_func rt_lookup(uint64_t pc) {
  const uint32_t at = (uint32_t)pc - rt_functions_low, word = at >> 2 | at << 30;
  return RT_LIKELY(word < rt_functions_count) ? rt_functions[word] : (rt_func)0;
}

/* Call the function at a guest address; returns the guest address it goes to. */
static inline uint64_t rt_call_indirect(rt_cpu *c, uint64_t site, uint64_t target) {
  rt_func function = rt_lookup(target);
  return RT_LIKELY(function) ? function(rt_near_of(c)) : rt_enter_slow(c, site, target);
}

/* A guaranteed tail call keeps the host stack as shallow as the guest's. */
#if defined(__has_attribute)
#if __has_attribute(musttail)
#define RT_TAIL __attribute__((musttail)) return
#endif
#endif
#ifndef RT_TAIL
#define RT_TAIL return
#endif
#define RT_JUMP(c, site, target)                            \
  do {                                                      \
    const uint64_t to_ = (target);                          \
    rt_func function_ = rt_lookup(to_);                     \
    if (RT_UNLIKELY(!function_)) return rt_enter_slow(c, site, to_); \
    RT_TAIL function_(rt_near_of(c));                       \
  } while (0)

/* Views of vector registers. */
static inline double rt_v_to_d(rt_v128 v) {
  double d;
  memcpy(&d, &v, sizeof d);
  return d;
}
static inline float rt_v_to_s(rt_v128 v) {
  float s;
  memcpy(&s, &v, sizeof s);
  return s;
}
static inline uint64_t rt_d_bits(double d) {
  uint64_t bits;
  memcpy(&bits, &d, sizeof bits);
  return bits;
}
static inline rt_v128 rt_d_to_v(double d) { return (rt_v128){rt_d_bits(d), 0}; }
static inline rt_v128 rt_s_to_v(float s) {
  uint32_t bits;
  memcpy(&bits, &s, sizeof bits);
  return (rt_v128){bits, 0};
}

/* Guest memory. With RT_POINTS an access happens even where nobody looks at its value, since it may fault; RT_POINT comes
 * before it: the registers to be shown are in *c, and this is the pc. */
#ifdef RT_POINTS
#define RT_POINT(c, at)                          \
  do {                                           \
    (c)->pc = (at);                              \
    __asm__ volatile("" : : "r"(c) : "memory");  \
  } while (0)
#define RT_ACCESS(bits, type)                                                                   \
  typedef type __attribute__((aligned(1), may_alias)) rt_place##bits;                               \
  static inline type rt_ld##bits(const uint8_t *m, uint64_t addr) {                             \
    return *(const volatile rt_place##bits *)(m + (uint32_t)addr);                                  \
  }                                                                                             \
  static inline void rt_st##bits(uint8_t *m, uint64_t addr, type value) {                       \
    *(volatile rt_place##bits *)(m + (uint32_t)addr) = value;                                       \
  }
#else
#define RT_ACCESS(bits, type)                                                                   \
  static inline type rt_ld##bits(const uint8_t *m, uint64_t addr) {                             \
    type value;                                                                                 \
    memcpy(&value, m + (uint32_t)addr, sizeof value);                                           \
    return value;                                                                               \
  }                                                                                             \
  static inline void rt_st##bits(uint8_t *m, uint64_t addr, type value) {                       \
    memcpy(m + (uint32_t)addr, &value, sizeof value);                                           \
  }
#endif
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
#include "rt_fp_runs.h"
#include "rt_crypto.h"

#ifdef __cplusplus
}
#endif
#endif
