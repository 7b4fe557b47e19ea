/* Advanced SIMD floating point: as rt_fp.h in every lane. Included by rt_simd.h.
 *
 * Lanes are computed together; a NaN among the results sends those lanes through the scalar rules. Helpers with a
 * `count` leave the lanes from there on zero and without exceptions.
 */
#ifndef RT_SIMD_FP_H
#define RT_SIMD_FP_H

#ifndef __has_builtin
#define __has_builtin(x) 0
#endif
#if __has_builtin(__builtin_elementwise_fma) && __has_builtin(__builtin_elementwise_sqrt)
#define RT_LANES_FMA(F, V, r, x, y, z, count) r = __builtin_elementwise_fma(x, y, z)
#define RT_LANES_SQRT(F, V, r, x, count) r = __builtin_elementwise_sqrt(x)
#else
#define RT_LANES_FMA(F, V, r, x, y, z, count) for (int i = 0; i < count; i++) r[i] = rt_fma1_##F(x[i], y[i], z[i])
#define RT_LANES_SQRT(F, V, r, x, count) for (int i = 0; i < count; i++) r[i] = rt_sqrt1_##F(x[i])
#endif
#if __has_builtin(__builtin_elementwise_roundeven) && RT_HAS_ROUND
#define RT_LANES_ROUND(builtin, F, name, r, x, count) r = __builtin_elementwise_##builtin(x)
#else
#define RT_LANES_ROUND(builtin, F, name, r, x, count) for (int i = 0; i < count; i++) r[i] = rt_##name##_##F(x[i])
#endif
static inline float rt_fma1_f32(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
static inline double rt_fma1_f64(double x, double y, double z) { return __builtin_fma(x, y, z); }
static inline float rt_sqrt1_f32(float x) { return __builtin_sqrtf(x); }
static inline double rt_sqrt1_f64(double x) { return __builtin_sqrt(x); }

#define RT_V_COLD(F, V, lanes)                                                              \
  RT_RARE rt_v128 rt_vnan2_##V(rt_cpu *c, rt_##V r, rt_##V a, rt_##V b) {                   \
    for (int i = 0; i < lanes; i++)                                                         \
      if (r[i] != r[i]) r[i] = rt_nan2_##F(c, a[i], b[i]);                                  \
    return (rt_v128)r;                                                                      \
  }                                                                                         \
  RT_RARE rt_v128 rt_vnan_fma_##V(rt_cpu *c, rt_##V r, rt_##V d, rt_##V a, rt_##V b) {      \
    for (int i = 0; i < lanes; i++)                                                         \
      if (r[i] != r[i]) r[i] = rt_nan_fma_##F(c, d[i], a[i], b[i]);                         \
    return (rt_v128)r;                                                                      \
  }                                                                                         \
  RT_RARE void rt_vunordered_##V(rt_cpu *c, rt_##V a, rt_##V b, int quiet) {                \
    for (int i = 0; i < lanes; i++)                                                         \
      if (__builtin_isunordered(a[i], b[i])) rt_unordered_##F(c, a[i], b[i], quiet);        \
  }
RT_V_COLD(f32, f32x4, 4)
RT_V_COLD(f64, f64x2, 2)

#define RT_V_BINARY(name, F, V, expression)                                     \
  static inline rt_v128 rt_##name##_##V(rt_cpu *c, rt_v128 va, rt_v128 vb) {    \
    const rt_##V a = (rt_##V)va, b = (rt_##V)vb, r = expression;                \
    return RT_LIKELY(!RT_ANY(r != r)) ? (rt_v128)r : rt_vnan2_##V(c, r, a, b);  \
  }
/* Lane by lane, for what is not worth more. */
#define RT_V_EACH2(name, F, V, lanes)                                                     \
  static inline rt_v128 rt_##name##_##V(rt_cpu *c, rt_v128 va, rt_v128 vb) {              \
    rt_##V r;                                                                             \
    for (int i = 0; i < lanes; i++) r[i] = rt_##name##_##F(c, ((rt_##V)va)[i], ((rt_##V)vb)[i]); \
    return (rt_v128)r;                                                                    \
  }
#define RT_V_COMPARE(name, op, F, V, quiet)                                                       \
  static inline rt_v128 rt_##name##_##V(rt_cpu *c, rt_v128 va, rt_v128 vb) {                      \
    const rt_##V a = (rt_##V)va, b = (rt_##V)vb;                                                  \
    if (RT_UNLIKELY(RT_ANY((a != a) | (b != b)))) rt_vunordered_##V(c, a, b, quiet);              \
    return (rt_v128)(a op b);                                                                     \
  }
#define RT_V_EXTREME(name, first, zeros, F, V)                                                    \
  static inline rt_v128 rt_##name##_##V(rt_cpu *c, rt_v128 va, rt_v128 vb) {                      \
    const rt_##V a = (rt_##V)va, b = (rt_##V)vb;                                                  \
    if (RT_UNLIKELY((c->fpcr & RT_FZ) || RT_ANY((a != a) | (b != b)))) return rt_##name##_each_##V(c, va, vb); \
    const rt_v128 chosen = rt_select((rt_v128)(a first b), va, vb);                               \
    return rt_select((rt_v128)(a == b), va zeros vb, chosen);                                     \
  }
#define RT_V_EXTREME_EACH(name, F, V, lanes)                                                      \
  RT_COLD rt_v128 rt_##name##_each_##V(rt_cpu *c, rt_v128 va, rt_v128 vb) {                       \
    rt_##V r;                                                                                     \
    for (int i = 0; i < lanes; i++) r[i] = rt_##name##_##F(c, ((rt_##V)va)[i], ((rt_##V)vb)[i]);  \
    return (rt_v128)r;                                                                            \
  }
#define RT_V_ROUND(name, builtin, plain, F, V, lanes)                                             \
  static inline rt_v128 rt_##name##_##V(rt_cpu *c, rt_v128 va) {                                  \
    const rt_##V a = (rt_##V)va;                                                                  \
    rt_##V r;                                                                                     \
    RT_LANES_ROUND(builtin, F, plain, r, a, lanes);                                               \
    return RT_LIKELY(!RT_ANY(r != r)) ? (rt_v128)r : rt_vnan2_##V(c, r, a, a);                    \
  }
#define RT_V_EACH1(name, F, V, lanes)                                                             \
  static inline rt_v128 rt_##name##_##V(rt_cpu *c, rt_v128 va) {                                  \
    rt_##V r;                                                                                     \
    for (int i = 0; i < lanes; i++) r[i] = rt_##name##_##F(c, ((rt_##V)va)[i]);                   \
    return (rt_v128)r;                                                                            \
  }
/* Sign changes reach NaNs too. */
#define RT_V_FP(F, V, U, lanes, sign)                                                             \
  RT_V_BINARY(fadd, F, V, a + b)                                                                  \
  RT_V_BINARY(fsub, F, V, a - b)                                                                  \
  RT_V_BINARY(fmul, F, V, a * b)                                                                  \
  RT_V_BINARY(fdiv, F, V, a / b)                                                                  \
  static inline rt_v128 rt_fabs_##V(rt_v128 a) { return a & rt_dup_##U((sign)-1); }               \
  static inline rt_v128 rt_fneg_##V(rt_v128 a) { return a ^ rt_dup_##U(sign); }                   \
  static inline rt_v128 rt_fabd_##V(rt_cpu *c, rt_v128 a, rt_v128 b) { return rt_fabs_##V(rt_fsub_##V(c, a, b)); } \
  static inline rt_v128 rt_fma_##V(rt_cpu *c, rt_v128 vd, rt_v128 va, rt_v128 vb) {               \
    const rt_##V a = (rt_##V)va, b = (rt_##V)vb, d = (rt_##V)vd;                                  \
    rt_##V r;                                                                                     \
    RT_LANES_FMA(F, V, r, a, b, d, lanes);                                                        \
    return RT_LIKELY(!RT_ANY(r != r)) ? (rt_v128)r : rt_vnan_fma_##V(c, r, d, a, b);              \
  }                                                                                               \
  static inline rt_v128 rt_fsqrt_##V(rt_cpu *c, rt_v128 va) {                                     \
    const rt_##V a = (rt_##V)va;                                                                  \
    rt_##V r;                                                                                     \
    RT_LANES_SQRT(F, V, r, a, lanes);                                                             \
    return RT_LIKELY(!RT_ANY(r != r)) ? (rt_v128)r : rt_vnan2_##V(c, r, a, a);                    \
  }                                                                                               \
  RT_V_EACH2(fmulx, F, V, lanes)                                                                  \
  RT_V_EACH2(frecps, F, V, lanes)                                                                 \
  RT_V_EACH2(frsqrts, F, V, lanes)                                                                \
  RT_V_COMPARE(fcmeq, ==, F, V, 1)                                                                \
  RT_V_COMPARE(fcmge, >=, F, V, 0)                                                                \
  RT_V_COMPARE(fcmgt, >, F, V, 0)                                                                 \
  static inline rt_v128 rt_facge_##V(rt_cpu *c, rt_v128 a, rt_v128 b) {                           \
    return rt_fcmge_##V(c, rt_fabs_##V(a), rt_fabs_##V(b));                                       \
  }                                                                                               \
  static inline rt_v128 rt_facgt_##V(rt_cpu *c, rt_v128 a, rt_v128 b) {                           \
    return rt_fcmgt_##V(c, rt_fabs_##V(a), rt_fabs_##V(b));                                       \
  }                                                                                               \
  RT_V_EXTREME_EACH(fmax, F, V, lanes)                                                            \
  RT_V_EXTREME_EACH(fmin, F, V, lanes)                                                            \
  RT_V_EXTREME_EACH(fmaxnm, F, V, lanes)                                                          \
  RT_V_EXTREME_EACH(fminnm, F, V, lanes)                                                          \
  RT_V_EXTREME(fmax, >, &, F, V)                                                                  \
  RT_V_EXTREME(fmin, <, |, F, V)                                                                  \
  RT_V_EXTREME(fmaxnm, >, &, F, V)                                                                \
  RT_V_EXTREME(fminnm, <, |, F, V)                                                                \
  RT_V_ROUND(frintn, roundeven, even, F, V, lanes)                                                \
  RT_V_ROUND(frintm, floor, floor, F, V, lanes)                                                   \
  RT_V_ROUND(frintp, ceil, ceil, F, V, lanes)                                                     \
  RT_V_ROUND(frintz, trunc, trunc, F, V, lanes)                                                   \
  RT_V_EACH1(frinta, F, V, lanes)                                                                 \
  RT_V_EACH1(frintx, F, V, lanes)                                                                 \
  RT_V_EACH1(frinti, F, V, lanes)                                                                 \
  RT_V_PAIR(fadd, V, U)                                                                           \
  RT_V_PAIR(fmax, V, U)                                                                           \
  RT_V_PAIR(fmin, V, U)                                                                           \
  RT_V_PAIR(fmaxnm, V, U)                                                                         \
  RT_V_PAIR(fminnm, V, U)
#define RT_V_PAIR(name, V, U)                                                                     \
  static inline rt_v128 rt_##name##p_##V(rt_cpu *c, rt_v128 a, rt_v128 b) {                       \
    return rt_##name##_##V(c, rt_uzp1_##U(a, b), rt_uzp2_##U(a, b));                              \
  }
RT_V_FP(f32, f32x4, u32x4, 4, UINT32_C(0x80000000))
RT_V_FP(f64, f64x2, u64x2, 2, UINT64_C(0x8000000000000000))

/* The 64-bit form of FDIV: what lies above must not divide zero by zero. */
static inline rt_v128 rt_fdiv_f32x2(rt_cpu *c, rt_v128 a, rt_v128 b) {
  return rt_low(rt_fdiv_f32x4(c, rt_low(a), (rt_v128){b[0], UINT64_C(0x3f8000003f800000)}));
}

/* Across four lanes: the lower pair, the upper pair, then both. */
#define RT_V_ACROSS(name)                                                        \
  static inline float rt_##name##v_f32x4(rt_cpu *c, rt_v128 v) {                 \
    const rt_f32x4 a = (rt_f32x4)v;                                              \
    return rt_##name##_f32(c, rt_##name##_f32(c, a[0], a[1]), rt_##name##_f32(c, a[2], a[3])); \
  }
RT_V_ACROSS(fmax)
RT_V_ACROSS(fmin)
RT_V_ACROSS(fmaxnm)
RT_V_ACROSS(fminnm)

/* --- conversions */

#define RT_V_TO_INT(name, I, F, V, R, lanes)                                                    \
  static inline rt_v128 rt_##name##_##R##_##V(rt_cpu *c, rt_v128 va) {                          \
    rt_##R r;                                                                                   \
    for (int i = 0; i < lanes; i++) r[i] = rt_##name##_##I##_##F(c, ((rt_##V)va)[i]);           \
    return (rt_v128)r;                                                                          \
  }
#define RT_V_TO_INTS(I, F, V, R, lanes)         \
  RT_V_TO_INT(fcvtn, I, F, V, R, lanes)         \
  RT_V_TO_INT(fcvta, I, F, V, R, lanes)         \
  RT_V_TO_INT(fcvtm, I, F, V, R, lanes)         \
  RT_V_TO_INT(fcvtp, I, F, V, R, lanes)
RT_V_TO_INTS(s32, f32, f32x4, s32x4, 4)
RT_V_TO_INTS(u32, f32, f32x4, u32x4, 4)
RT_V_TO_INTS(s64, f64, f64x2, s64x2, 2)
RT_V_TO_INTS(u64, f64, f64x2, u64x2, 2)
RT_V_TO_INT(fcvtz, u32, f32, f32x4, u32x4, 4)
RT_V_TO_INT(fcvtz, s64, f64, f64x2, s64x2, 2)
RT_V_TO_INT(fcvtz, u64, f64, f64x2, u64x2, 2)
RT_COLD rt_v128 rt_fcvtz_each_s32x4_f32x4(rt_cpu *c, rt_v128 v) {
  rt_s32x4 r;
  for (int i = 0; i < 4; i++) r[i] = rt_fcvtz_s32_f32(c, ((rt_f32x4)v)[i]);
  return (rt_v128)r;
}
static inline rt_v128 rt_fcvtz_s32x4_f32x4(rt_cpu *c, rt_v128 v) {
  const rt_s32x4 magnitude = (rt_s32x4)v & 0x7fffffff;
  if (RT_UNLIKELY(RT_ANY(magnitude >= 0x4f000000))) return rt_fcvtz_each_s32x4_f32x4(c, v);
  return (rt_v128)__builtin_convertvector((rt_f32x4)v, rt_s32x4);
}
#define RT_V_TO_FIXED(I, F, V, R, lanes)                                                                      \
  static inline rt_v128 rt_fcvtzx_##R##_##V(rt_cpu *c, rt_v128 va, double scale) {                            \
    rt_##R r;                                                                                                 \
    for (int i = 0; i < lanes; i++) r[i] = rt_fcvtz_##I##_f64(c, rt_scaled((double)((rt_##V)va)[i], scale));  \
    return (rt_v128)r;                                                                                        \
  }
RT_V_TO_FIXED(s32, f32, f32x4, s32x4, 4)
RT_V_TO_FIXED(u32, f32, f32x4, u32x4, 4)
RT_V_TO_FIXED(s64, f64, f64x2, s64x2, 2)
RT_V_TO_FIXED(u64, f64, f64x2, u64x2, 2)

static inline rt_v128 rt_scvtf_f32x4(rt_v128 v) { return (rt_v128)__builtin_convertvector((rt_s32x4)v, rt_f32x4); }
static inline rt_v128 rt_ucvtf_f32x4(rt_v128 v) {
  /* Both halves are exact, so their sum is rounded once. */
  const rt_s32x4 high = (rt_s32x4)((rt_u32x4)v >> 16), low = (rt_s32x4)v & 0xffff;
  return (rt_v128)(__builtin_convertvector(high, rt_f32x4) * 65536.0f + __builtin_convertvector(low, rt_f32x4));
}
static inline rt_v128 rt_scvtf_f64x2(rt_v128 v) {
  return (rt_v128)(rt_f64x2){rt_scvtf_f64_s64((int64_t)v[0]), rt_scvtf_f64_s64((int64_t)v[1])};
}
static inline rt_v128 rt_ucvtf_f64x2(rt_v128 v) {
  return (rt_v128)(rt_f64x2){rt_ucvtf_f64_u64(v[0]), rt_ucvtf_f64_u64(v[1])};
}

/* FCVTL from and FCVTN, FCVTXN to the low half. */
static inline rt_v128 rt_fcvtl_f64x2(rt_cpu *c, rt_v128 v) {
  const rt_f32x4 a = (rt_f32x4)v;
  return (rt_v128)(rt_f64x2){rt_fcvt_f64_f32(c, a[0]), rt_fcvt_f64_f32(c, a[1])};
}
static inline rt_v128 rt_fcvtn_f64x2(rt_cpu *c, rt_v128 v) {
  const rt_f64x2 a = (rt_f64x2)v;
  return (rt_v128)(rt_f32x4){rt_fcvt_f32_f64(c, a[0]), rt_fcvt_f32_f64(c, a[1]), 0, 0};
}
static inline rt_v128 rt_fcvtxn_f64x2(rt_cpu *c, rt_v128 v) {
  const rt_f64x2 a = (rt_f64x2)v;
  return (rt_v128)(rt_f32x4){rt_fcvtxn_f32_f64(c, a[0]), rt_fcvtxn_f32_f64(c, a[1]), 0, 0};
}

/* --- estimates; only the first `count` lanes raise exceptions */

#define RT_V_ESTIMATE(name, F, V)                                                                    \
  static inline rt_v128 rt_##name##_##V(rt_cpu *c, rt_v128 va, int count) {                          \
    rt_##V r = {0};                                                                                  \
    for (int i = 0; i < count; i++) r[i] = rt_##name##_##F(c, ((rt_##V)va)[i]);                      \
    return (rt_v128)r;                                                                               \
  }
RT_V_ESTIMATE(frecpe, f32, f32x4)
RT_V_ESTIMATE(frecpe, f64, f64x2)
RT_V_ESTIMATE(frsqrte, f32, f32x4)
RT_V_ESTIMATE(frsqrte, f64, f64x2)
static inline rt_v128 rt_urecpe(rt_v128 v) {
  rt_u32x4 a = (rt_u32x4)v;
  for (int i = 0; i < 4; i++) a[i] = rt_urecpe1(a[i]);
  return (rt_v128)a;
}
static inline rt_v128 rt_ursqrte(rt_v128 v) {
  rt_u32x4 a = (rt_u32x4)v;
  for (int i = 0; i < 4; i++) a[i] = rt_ursqrte1(a[i]);
  return (rt_v128)a;
}

#include "rt_simd_half.h"

#endif
