/* Runs of arithmetic (recomp.emit.runs): `rt_fast_OP` computes as OP and leaves NaNs to the end of the run, where one
 * look at what the run leaves behind stands for all of them; if there is a NaN, the run is done again by `rt_cold_OP`,
 * which is OP out of line. Included by rt.h.
 */
#ifndef RT_FP_RUNS_H
#define RT_FP_RUNS_H

#define RT_TWIN_1(name, type, from, expression)                                       \
  static inline type rt_fast_##name(from a) { return expression; }                    \
  RT_RARE type rt_cold_##name(rt_cpu *c, from a) { return rt_##name(c, a); }
#define RT_TWIN_2(name, type, expression)                                             \
  static inline type rt_fast_##name(type a, type b) { return expression; }            \
  RT_RARE type rt_cold_##name(rt_cpu *c, type a, type b) { return rt_##name(c, a, b); }
#define RT_TWIN_3(name, type, expression)                                             \
  static inline type rt_fast_##name(type d, type a, type b) { return expression; }    \
  RT_RARE type rt_cold_##name(rt_cpu *c, type d, type a, type b) { return rt_##name(c, d, a, b); }

#define RT_TWINS(F, type, SQRT, FMA)                \
  RT_TWIN_2(fadd_##F, type, a + b)                  \
  RT_TWIN_2(fsub_##F, type, a - b)                  \
  RT_TWIN_2(fmul_##F, type, a *b)                   \
  RT_TWIN_2(fdiv_##F, type, a / b)                  \
  RT_TWIN_2(fnmul_##F, type, -(a * b))              \
  RT_TWIN_2(fabd_##F, type, rt_fabs_##F(a - b))     \
  RT_TWIN_1(fsqrt_##F, type, type, SQRT(a))         \
  RT_TWIN_3(fma_##F, type, FMA(a, b, d))
RT_TWINS(f64, double, __builtin_sqrt, __builtin_fma)
RT_TWINS(f32, float, __builtin_sqrtf, __builtin_fmaf)
RT_TWIN_1(fcvt_f64_f32, double, float, (double)a)
RT_TWIN_1(fcvt_f32_f64, float, double, (float)a)

#define RT_V_TWINS(F, V, lanes)                                                       \
  RT_TWIN_2(fadd_##V, rt_v128, (rt_v128)((rt_##V)a + (rt_##V)b))                      \
  RT_TWIN_2(fsub_##V, rt_v128, (rt_v128)((rt_##V)a - (rt_##V)b))                      \
  RT_TWIN_2(fmul_##V, rt_v128, (rt_v128)((rt_##V)a * (rt_##V)b))                      \
  RT_TWIN_2(fdiv_##V, rt_v128, (rt_v128)((rt_##V)a / (rt_##V)b))                      \
  RT_TWIN_2(fabd_##V, rt_v128, rt_fabs_##V((rt_v128)((rt_##V)a - (rt_##V)b)))         \
  static inline rt_v128 rt_fast_fsqrt_##V(rt_v128 v) {                                \
    const rt_##V a = (rt_##V)v;                                                       \
    rt_##V r;                                                                         \
    RT_LANES_SQRT(F, V, r, a, lanes);                                                 \
    return (rt_v128)r;                                                                \
  }                                                                                   \
  RT_RARE rt_v128 rt_cold_fsqrt_##V(rt_cpu *c, rt_v128 a) { return rt_fsqrt_##V(c, a); } \
  static inline rt_v128 rt_fast_fma_##V(rt_v128 vd, rt_v128 va, rt_v128 vb) {         \
    const rt_##V a = (rt_##V)va, b = (rt_##V)vb, d = (rt_##V)vd;                      \
    rt_##V r;                                                                         \
    RT_LANES_FMA(F, V, r, a, b, d, lanes);                                            \
    return (rt_v128)r;                                                                \
  }                                                                                   \
  RT_RARE rt_v128 rt_cold_fma_##V(rt_cpu *c, rt_v128 d, rt_v128 a, rt_v128 b) {       \
    return rt_fma_##V(c, d, a, b);                                                    \
  }                                                                                   \
  /* Is there a NaN in any lane of either? */                                         \
  static inline int rt_nan_in_##V(rt_v128 a, rt_v128 b) {                             \
    return RT_ANY(((rt_##V)a != (rt_##V)a) | ((rt_##V)b != (rt_##V)b));               \
  }
RT_V_TWINS(f32, f32x4, 4)
RT_V_TWINS(f64, f64x2, 2)

#endif
