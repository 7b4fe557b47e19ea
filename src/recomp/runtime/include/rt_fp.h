/* Scalar floating point as A64 defines it, on top of the host's. Included by rt.h.
 *
 * Every operation is done by the host in the host's current rounding and flushing mode, which rt_set_fpcr keeps equal
 * to the guest's; only a NaN result takes a cold path, where Arm's choice of NaN is made. FPSR is the host's sticky
 * flags joined with c->fpsr, which holds what only software can know (QC, invalid operations that the host does not
 * see). Build with -ffp-contract=off -frounding-math -fno-math-errno.
 *
 * Not exact: with FPCR.FZ set, IDC and IXC, and results that round up to the smallest normal number (Arm looks before
 * rounding, x86 after it; without FZ the same case differs in UFC alone).
 */
#ifndef RT_FP_H
#define RT_FP_H

#define RT_LIKELY(x) __builtin_expect(!!(x), 1)
#define RT_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Quiet, and one instruction also where compares are opaque to the compiler (-frounding-math). */
#define RT_IS_NAN(x) __builtin_isunordered(x, x)
#define RT_COLD static __attribute__((noinline, cold, unused))
/* Called from the middle of arithmetic that hardly ever needs it: it keeps every register, so that the arithmetic need
 * not spill its own (1.6x in a loop of multiplications and additions). */
#if defined(__has_attribute)
#if __has_attribute(preserve_all)
#define RT_RARE static __attribute__((noinline, cold, unused, preserve_all))
#endif
#endif
#ifndef RT_RARE
#define RT_RARE RT_COLD
#endif

enum { RT_IOC = 1, RT_DZC = 2, RT_OFC = 4, RT_UFC = 8, RT_IXC = 16, RT_IDC = 128, RT_QC = 1 << 27 };
enum { RT_FZ = 1 << 24, RT_DN = 1 << 25, RT_AHP = 1 << 26 };
#define RT_FPCR_MASK 0x07c00000u
#define RT_FPSR_MASK 0xf800009fu

/* FPCR.RMode */
enum { RT_NEAREST, RT_UP, RT_DOWN, RT_ZERO };
static inline unsigned rt_rounding(const rt_cpu *c) { return c->fpcr >> 22 & 3; }

/* --- the host's floating-point state */

#if defined(__x86_64__)
RT_COLD void rt_host_mode(uint32_t fpcr) {
  static const uint16_t rounding[4] = {0x0000, 0x4000, 0x2000, 0x6000};
  uint32_t mode = rounding[fpcr >> 22 & 3] | (fpcr & RT_FZ ? 0x8040 : 0);
  __builtin_ia32_ldmxcsr((__builtin_ia32_stmxcsr() & ~0xe040u) | mode);
}
RT_COLD uint32_t rt_host_flags(void) {
  uint32_t m = __builtin_ia32_stmxcsr();
  return (m & 1) | (m >> 1 & 0x1e);
}
RT_COLD void rt_host_clear(void) { __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() & ~0x3fu); }
#elif defined(__aarch64__)
RT_COLD void rt_host_mode(uint32_t fpcr) {
  uint64_t mode = fpcr & (3u << 22 | RT_FZ);
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}
RT_COLD uint32_t rt_host_flags(void) {
  uint64_t flags;
  __asm__ volatile("mrs %0, fpsr" : "=r"(flags));
  return (uint32_t)flags & 0x9f;
}
RT_COLD void rt_host_clear(void) { __asm__ volatile("msr fpsr, %0" : : "r"(UINT64_C(0))); }
#else
#include <fenv.h>
RT_COLD void rt_host_mode(uint32_t fpcr) {
#ifdef FE_UPWARD
  static const int rounding[4] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  fesetround(rounding[fpcr >> 22 & 3]);
#else
  (void)fpcr;
#endif
}
RT_COLD uint32_t rt_host_flags(void) {
#ifdef FE_INEXACT
  int e = fetestexcept(FE_ALL_EXCEPT);
  return (e & FE_INVALID ? RT_IOC : 0) | (e & FE_DIVBYZERO ? RT_DZC : 0) | (e & FE_OVERFLOW ? RT_OFC : 0) |
         (e & FE_UNDERFLOW ? RT_UFC : 0) | (e & FE_INEXACT ? RT_IXC : 0);
#else
  return 0;
#endif
}
RT_COLD void rt_host_clear(void) { feclearexcept(FE_ALL_EXCEPT); }
#endif

/* MRS and MSR of FPSR and FPCR. A new guest thread calls both writes on its host thread before its first instruction. */
static inline uint32_t rt_get_fpcr(const rt_cpu *c) { return c->fpcr; }
RT_COLD uint32_t rt_get_fpsr(const rt_cpu *c) { return c->fpsr | rt_host_flags(); }
RT_COLD void rt_set_fpsr(rt_cpu *c, uint32_t value) {
  c->fpsr = value & RT_FPSR_MASK;
  rt_host_clear();
}
RT_COLD void rt_set_fpcr(rt_cpu *c, uint32_t value) {
  c->fpcr = value & RT_FPCR_MASK;
  rt_host_mode(c->fpcr);
}

/* --- bits */

#define RT_BITS(F, type, utype)                                                       \
  static inline utype rt_bits_##F(type a) {                                           \
    utype u;                                                                          \
    memcpy(&u, &a, sizeof u);                                                         \
    return u;                                                                         \
  }                                                                                   \
  static inline type rt_##F(utype u) {                                                \
    type a;                                                                           \
    memcpy(&a, &u, sizeof a);                                                         \
    return a;                                                                         \
  }                                                                                   \
  static inline type rt_ld##F(const uint8_t *m, uint64_t addr) {                      \
    type a;                                                                           \
    memcpy(&a, m + (uint32_t)addr, sizeof a);                                         \
    return a;                                                                         \
  }                                                                                   \
  static inline void rt_st##F(uint8_t *m, uint64_t addr, type a) {                    \
    memcpy(m + (uint32_t)addr, &a, sizeof a);                                         \
  }
RT_BITS(f64, double, uint64_t)
RT_BITS(f32, float, uint32_t)

/* --- NaNs (FPProcessNaNs, FPProcessNaNs3): the first signalling operand, else the first quiet one, quieted;
 * the default NaN where an operation without NaN operands has no result, and always where FPCR.DN is set. */

#define RT_NANS(F, type, utype, INF, QUIET)                                                            \
  static inline int rt_is_nan_##F(utype a) { return (utype)(a << 1) > (utype)(INF << 1); }             \
  static inline int rt_is_qnan_##F(utype a) { return rt_is_nan_##F(a) && (a & QUIET); }                \
  static inline int rt_is_snan_##F(utype a) { return rt_is_nan_##F(a) && !(a & QUIET); }               \
  static inline int rt_is_inf_##F(utype a) { return (utype)(a << 1) == (utype)(INF << 1); }            \
  RT_RARE type rt_nan3_##F(rt_cpu *c, type x, type y, type z) {                                        \
    const utype u[3] = {rt_bits_##F(x), rt_bits_##F(y), rt_bits_##F(z)};                               \
    const utype standard = INF | QUIET;                                                                \
    for (int i = 0; i < 3; i++)                                                                        \
      if (rt_is_snan_##F(u[i])) {                                                                      \
        c->fpsr |= RT_IOC;                                                                             \
        return rt_##F(c->fpcr & RT_DN ? standard : u[i] | QUIET);                                      \
      }                                                                                                \
    for (int i = 0; i < 3; i++)                                                                        \
      if (rt_is_nan_##F(u[i])) return rt_##F(c->fpcr & RT_DN ? standard : u[i]);                       \
    c->fpsr |= RT_IOC;                                                                                 \
    return rt_##F(standard);                                                                           \
  }                                                                                                    \
  RT_RARE type rt_nan2_##F(rt_cpu *c, type x, type y) { return rt_nan3_##F(c, x, y, y); }              \
  RT_RARE type rt_nan1_##F(rt_cpu *c, type x) { return rt_nan3_##F(c, x, x, x); }                      \
  RT_RARE type rt_nan_fma_##F(rt_cpu *c, type addend, type x, type y) {                                \
    /* A quiet NaN addend does not hide that infinity times zero is invalid. */                        \
    const utype a = rt_bits_##F(x), b = rt_bits_##F(y);                                                \
    const int invalid = (rt_is_inf_##F(a) && y == 0) || (rt_is_inf_##F(b) && x == 0);                  \
    if (invalid && rt_is_qnan_##F(rt_bits_##F(addend))) {                                              \
      c->fpsr |= RT_IOC;                                                                               \
      return rt_##F(INF | QUIET);                                                                      \
    }                                                                                                  \
    return rt_nan3_##F(c, addend, x, y);                                                               \
  }                                                                                                    \
  RT_RARE type rt_nan_num_##F(rt_cpu *c, type x, type y, utype absent, type (*op)(rt_cpu *, type, type)) { \
    /* minNum, maxNum: a quiet NaN counts as absent if the other operand is not one. */                \
    const int qx = rt_is_qnan_##F(rt_bits_##F(x)), qy = rt_is_qnan_##F(rt_bits_##F(y));                \
    if (qx && !qy) x = rt_##F(absent);                                                                 \
    if (qy && !qx) y = rt_##F(absent);                                                                 \
    return op(c, x, y);                                                                                \
  }
RT_NANS(f64, double, uint64_t, UINT64_C(0x7ff0000000000000), UINT64_C(0x0008000000000000))
RT_NANS(f32, float, uint32_t, UINT32_C(0x7f800000), UINT32_C(0x00400000))

/* --- arithmetic */

#define RT_ARITH(F, type, utype, SIGN, INF, sqrt_, fma_, TINY)                                             \
  static inline type rt_fadd_##F(rt_cpu *c, type a, type b) {                                              \
    const type r = a + b;                                                                                  \
    return RT_LIKELY(!RT_IS_NAN(r)) ? r : rt_nan2_##F(c, a, b);                                                   \
  }                                                                                                        \
  static inline type rt_fsub_##F(rt_cpu *c, type a, type b) {                                              \
    const type r = a - b;                                                                                  \
    return RT_LIKELY(!RT_IS_NAN(r)) ? r : rt_nan2_##F(c, a, b);                                                   \
  }                                                                                                        \
  static inline type rt_fmul_##F(rt_cpu *c, type a, type b) {                                              \
    const type r = a * b;                                                                                  \
    return RT_LIKELY(!RT_IS_NAN(r)) ? r : rt_nan2_##F(c, a, b);                                                   \
  }                                                                                                        \
  static inline type rt_fnmul_##F(rt_cpu *c, type a, type b) { return -rt_fmul_##F(c, a, b); }             \
  static inline type rt_fdiv_##F(rt_cpu *c, type a, type b) {                                              \
    const type r = a / b;                                                                                  \
    return RT_LIKELY(!RT_IS_NAN(r)) ? r : rt_nan2_##F(c, a, b);                                                   \
  }                                                                                                        \
  static inline type rt_fsqrt_##F(rt_cpu *c, type a) {                                                     \
    const type r = sqrt_(a);                                                                               \
    return RT_LIKELY(!RT_IS_NAN(r)) ? r : rt_nan1_##F(c, a);                                                      \
  }                                                                                                        \
  static inline type rt_fabs_##F(type a) { return rt_##F(rt_bits_##F(a) & (utype)~SIGN); }                 \
  static inline type rt_fneg_##F(type a) { return rt_##F(rt_bits_##F(a) ^ SIGN); }                         \
  static inline type rt_fabd_##F(rt_cpu *c, type a, type b) { return rt_fabs_##F(rt_fsub_##F(c, a, b)); }  \
  /* addend + a * b, rounded once */                                                                       \
  static inline type rt_fma_##F(rt_cpu *c, type addend, type a, type b) {                                  \
    const type r = fma_(a, b, addend);                                                                     \
    return RT_LIKELY(!RT_IS_NAN(r)) ? r : rt_nan_fma_##F(c, addend, a, b);                                        \
  }                                                                                                        \
  /* Infinity times zero is two, with the product's sign and no exception. */                              \
  static inline type rt_fmulx_##F(rt_cpu *c, type a, type b) {                                             \
    const utype x = rt_bits_##F(a), y = rt_bits_##F(b);                                                    \
    if (RT_UNLIKELY((rt_is_inf_##F(x) && b == 0) || (rt_is_inf_##F(y) && a == 0)))                         \
      return rt_##F(((x ^ y) & SIGN) | rt_bits_##F((type)2));                                              \
    return rt_fmul_##F(c, a, b);                                                                           \
  }                                                                                                        \
  /* 2 - a * b and (3 - a * b) / 2, rounded once; infinity times zero counts as zero. */                   \
  static inline type rt_frecps_##F(rt_cpu *c, type a, type b) {                                            \
    if (RT_UNLIKELY((rt_is_inf_##F(rt_bits_##F(a)) && b == 0) || (rt_is_inf_##F(rt_bits_##F(b)) && a == 0))) \
      return 2;                                                                                            \
    const type n = rt_fneg_##F(a), r = fma_(n, b, (type)2);                                                \
    return RT_LIKELY(!RT_IS_NAN(r)) ? r : rt_nan2_##F(c, n, b);                                                   \
  }                                                                                                        \
  static inline type rt_frsqrts_##F(rt_cpu *c, type a, type b) {                                           \
    if (RT_UNLIKELY((rt_is_inf_##F(rt_bits_##F(a)) && b == 0) || (rt_is_inf_##F(rt_bits_##F(b)) && a == 0))) \
      return (type)1.5;                                                                                    \
    /* Halve an operand that stays exact; a product that is far too small to matter need not be halved. */   \
    const type n = rt_fneg_##F(a);                                                                         \
    const int small = __builtin_isless(rt_fabs_##F(n), TINY);                                              \
    const type x = small ? n : n * (type)0.5;                                                              \
    const type y = small && __builtin_isgreaterequal(rt_fabs_##F(b), (type)1) ? b * (type)0.5 : b;         \
    const type r = fma_(x, y, (type)1.5);                                                                  \
    return RT_LIKELY(!RT_IS_NAN(r)) ? r : rt_nan2_##F(c, n, b);                                                   \
  }                                                                                                        \
  RT_COLD type rt_flush_##F(type a) { return a * (type)1; }                                                \
  static inline type rt_fmax_##F(rt_cpu *c, type a, type b) {                                              \
    type r;                                                                                                \
    if (__builtin_isgreater(a, b)) r = a;                                                                  \
    else if (__builtin_isless(a, b)) r = b;                                                                \
    else if (RT_LIKELY(a == b)) r = rt_##F(rt_bits_##F(a) & rt_bits_##F(b)); /* +0 is above -0 */          \
    else return rt_nan2_##F(c, a, b);                                                                      \
    return RT_LIKELY(!(c->fpcr & RT_FZ)) ? r : rt_flush_##F(r);                                            \
  }                                                                                                        \
  static inline type rt_fmin_##F(rt_cpu *c, type a, type b) {                                              \
    type r;                                                                                                \
    if (__builtin_isless(a, b)) r = a;                                                                     \
    else if (__builtin_isgreater(a, b)) r = b;                                                             \
    else if (RT_LIKELY(a == b)) r = rt_##F(rt_bits_##F(a) | rt_bits_##F(b));                               \
    else return rt_nan2_##F(c, a, b);                                                                      \
    return RT_LIKELY(!(c->fpcr & RT_FZ)) ? r : rt_flush_##F(r);                                            \
  }                                                                                                        \
  static inline type rt_fmaxnm_##F(rt_cpu *c, type a, type b) {                                            \
    if (RT_UNLIKELY(__builtin_isunordered(a, b))) return rt_nan_num_##F(c, a, b, INF | SIGN, rt_fmax_##F); \
    return rt_fmax_##F(c, a, b);                                                                           \
  }                                                                                                        \
  static inline type rt_fminnm_##F(rt_cpu *c, type a, type b) {                                            \
    if (RT_UNLIKELY(__builtin_isunordered(a, b))) return rt_nan_num_##F(c, a, b, INF, rt_fmin_##F);        \
    return rt_fmin_##F(c, a, b);                                                                           \
  }                                                                                                        \
  /* Of an unordered compare: signalling ones and FCMPE object to quiet NaNs too. */                       \
  RT_RARE void rt_unordered_##F(rt_cpu *c, type a, type b, int quiet) {                                    \
    if (!quiet || rt_is_snan_##F(rt_bits_##F(a)) || rt_is_snan_##F(rt_bits_##F(b))) c->fpsr |= RT_IOC;     \
  }                                                                                                        \
  static inline int rt_fcmeq_##F(rt_cpu *c, type a, type b) {                                              \
    if (RT_UNLIKELY(__builtin_isunordered(a, b))) rt_unordered_##F(c, a, b, 1);                            \
    return a == b;                                                                                         \
  }                                                                                                        \
  static inline int rt_fcmge_##F(rt_cpu *c, type a, type b) {                                              \
    if (RT_UNLIKELY(__builtin_isunordered(a, b))) rt_unordered_##F(c, a, b, 0);                            \
    return __builtin_isgreaterequal(a, b);                                                                 \
  }                                                                                                        \
  static inline int rt_fcmgt_##F(rt_cpu *c, type a, type b) {                                              \
    if (RT_UNLIKELY(__builtin_isunordered(a, b))) rt_unordered_##F(c, a, b, 0);                            \
    return __builtin_isgreater(a, b);                                                                      \
  }                                                                                                        \
  static inline int rt_facge_##F(rt_cpu *c, type a, type b) {                                              \
    return rt_fcmge_##F(c, rt_fabs_##F(a), rt_fabs_##F(b));                                                \
  }                                                                                                        \
  static inline int rt_facgt_##F(rt_cpu *c, type a, type b) {                                              \
    return rt_fcmgt_##F(c, rt_fabs_##F(a), rt_fabs_##F(b));                                                \
  }
RT_ARITH(f64, double, uint64_t, UINT64_C(0x8000000000000000), UINT64_C(0x7ff0000000000000), __builtin_sqrt,
         __builtin_fma, 0x1p-960)
RT_ARITH(f32, float, uint32_t, UINT32_C(0x80000000), UINT32_C(0x7f800000), __builtin_sqrtf, __builtin_fmaf, 0x1p-100f)

/* --- between precisions */

RT_COLD double rt_nan_f64_f32(rt_cpu *c, float a) {
  const uint32_t u = rt_bits_f32(rt_nan1_f32(c, a));
  return rt_f64((uint64_t)(u >> 31) << 63 | UINT64_C(0x7ff0000000000000) | (uint64_t)(u & 0x7fffff) << 29);
}
RT_COLD float rt_nan_f32_f64(rt_cpu *c, double a) {
  const uint64_t u = rt_bits_f64(rt_nan1_f64(c, a));
  return rt_f32((uint32_t)(u >> 63) << 31 | 0x7f800000u | (uint32_t)(u >> 29 & 0x7fffff));
}
static inline double rt_fcvt_f64_f32(rt_cpu *c, float a) { return RT_LIKELY(!RT_IS_NAN(a)) ? (double)a : rt_nan_f64_f32(c, a); }
static inline float rt_fcvt_f32_f64(rt_cpu *c, double a) { return RT_LIKELY(!RT_IS_NAN(a)) ? (float)a : rt_nan_f32_f64(c, a); }

/* FCVTXN: rounds to odd, so that a second rounding to half precision is as if there had been only one. */
static inline float rt_fcvtxn_f32_f64(rt_cpu *c, double a) {
  const float r = rt_fcvt_f32_f64(c, a);
  if (r == (double)a || a != a) return r;
  const uint32_t u = rt_bits_f32(r);
  if (c->fpcr & RT_FZ && u << 1 == 0) return r; /* flushed */
  const int away = rt_fabs_f64((double)r) > rt_fabs_f64(a);
  return rt_f32((u - (uint32_t)away) | 1);
}

#include "rt_fp_round.h"
#include "rt_half.h"
#include "rt_fp_estimate.h"

#endif
