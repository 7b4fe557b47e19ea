/* Half precision in lanes: conversions, and arithmetic (FEAT_FP16) lane by lane. Included by rt_simd_fp.h.
 *
 * `count` lanes are computed; those above are zero and raise no exceptions.
 */
#ifndef RT_SIMD_HALF_H
#define RT_SIMD_HALF_H

static inline rt_v128 rt_fcvtl_f32x4(rt_cpu *c, rt_v128 v) {
  rt_f32x4 r;
  for (int i = 0; i < 4; i++) r[i] = rt_fcvt_f32_f16(c, ((rt_u16x8)v)[i]);
  return (rt_v128)r;
}
static inline rt_v128 rt_fcvtn_f32x4(rt_cpu *c, rt_v128 v) {
  rt_u16x8 r = {0};
  for (int i = 0; i < 4; i++) r[i] = rt_fcvt_f16_f32(c, ((rt_f32x4)v)[i]);
  return (rt_v128)r;
}

#define RT_H_1(name)                                                                                 \
  static inline rt_v128 rt_##name##_f16x8(rt_cpu *c, rt_v128 a, int count) {                         \
    rt_u16x8 r = {0};                                                                                \
    for (int i = 0; i < count; i++) r[i] = (uint16_t)rt_##name##_f16(c, ((rt_u16x8)a)[i]);           \
    return (rt_v128)r;                                                                               \
  }
#define RT_H_2(name)                                                                                 \
  static inline rt_v128 rt_##name##_f16x8(rt_cpu *c, rt_v128 a, rt_v128 b, int count) {              \
    rt_u16x8 r = {0};                                                                                \
    for (int i = 0; i < count; i++) r[i] = rt_##name##_f16(c, ((rt_u16x8)a)[i], ((rt_u16x8)b)[i]);   \
    return (rt_v128)r;                                                                               \
  }
#define RT_H_PAIRS(name)                                                                             \
  static inline rt_v128 rt_##name##p_f16x8(rt_cpu *c, rt_v128 a, rt_v128 b, int count) {             \
    return rt_##name##_f16x8(c, rt_uzp1_u16x8(a, b), rt_uzp2_u16x8(a, b), count);                    \
  }
/* Halves of the lanes, until one is left. */
#define RT_H_ACROSS(name)                                                                            \
  static inline uint16_t rt_##name##v_f16x8(rt_cpu *c, rt_v128 a, int count) {                       \
    for (; count > 1; count /= 2) a = rt_##name##p_f16x8(c, a, a, count / 2);                        \
    return (uint16_t)a[0];                                                                           \
  }
#define RT_H_COMPARE(name)                                                                           \
  static inline rt_v128 rt_##name##_f16x8(rt_cpu *c, rt_v128 a, rt_v128 b, int count) {              \
    rt_u16x8 r = {0};                                                                                \
    for (int i = 0; i < count; i++) r[i] = (uint16_t)-rt_##name##_f16(c, ((rt_u16x8)a)[i], ((rt_u16x8)b)[i]); \
    return (rt_v128)r;                                                                               \
  }
RT_H_1(fsqrt)
RT_H_1(frintn)
RT_H_1(frintp)
RT_H_1(frintm)
RT_H_1(frintz)
RT_H_1(frinta)
RT_H_1(frintx)
RT_H_1(frinti)
RT_H_1(frecpe)
RT_H_1(frsqrte)
RT_H_2(fadd)
RT_H_2(fsub)
RT_H_2(fmul)
RT_H_2(fdiv)
RT_H_2(fmulx)
RT_H_2(fabd)
RT_H_2(frecps)
RT_H_2(frsqrts)
RT_H_2(fmax)
RT_H_2(fmin)
RT_H_2(fmaxnm)
RT_H_2(fminnm)
RT_H_PAIRS(fadd)
RT_H_PAIRS(fmax)
RT_H_PAIRS(fmin)
RT_H_PAIRS(fmaxnm)
RT_H_PAIRS(fminnm)
RT_H_ACROSS(fmax)
RT_H_ACROSS(fmin)
RT_H_ACROSS(fmaxnm)
RT_H_ACROSS(fminnm)
RT_H_COMPARE(fcmeq)
RT_H_COMPARE(fcmge)
RT_H_COMPARE(fcmgt)
RT_H_COMPARE(facge)
RT_H_COMPARE(facgt)
static inline rt_v128 rt_fabs_f16x8(rt_v128 a) { return a & rt_dup_u16x8(0x7fff); }
static inline rt_v128 rt_fneg_f16x8(rt_v128 a) { return a ^ rt_dup_u16x8(0x8000); }
static inline rt_v128 rt_fma_f16x8(rt_cpu *c, rt_v128 d, rt_v128 a, rt_v128 b, int count) {
  rt_u16x8 r = {0};
  for (int i = 0; i < count; i++) r[i] = rt_fma_f16(c, ((rt_u16x8)d)[i], ((rt_u16x8)a)[i], ((rt_u16x8)b)[i]);
  return (rt_v128)r;
}

/* 16-bit integers saturate at 16 bits. */
#define RT_H_TO_INT(mode, I, MIN, MAX)                                                         \
  static inline uint16_t rt_fcvt##mode##_##I##16_of(rt_cpu *c, float a) {                            \
    const uint32_t before = c->fpsr;                                                                 \
    const float r = rt_frint##mode##_f32(c, a);                                                      \
    if (RT_LIKELY(__builtin_isgreaterequal(r, (float)MIN) && __builtin_isless(r, MAX + 1.0f))) {     \
      if (r != a) c->fpsr |= RT_IXC;                                                                 \
      return (uint16_t)(int32_t)r;                                                                   \
    }                                                                                                \
    c->fpsr = before | RT_IOC;                                                                       \
    return r != r ? 0 : (uint16_t)(r < 0 ? MIN : MAX);                                               \
  }                                                                                                  \
  static inline uint16_t rt_fcvt##mode##_##I##16_f16(rt_cpu *c, uint16_t a) {                        \
    return rt_fcvt##mode##_##I##16_of(c, rt_value_f16(a));                                           \
  }                                                                                                  \
  static inline rt_v128 rt_fcvt##mode##_##I##16x8_f16x8(rt_cpu *c, rt_v128 a, int count) {           \
    rt_u16x8 r = {0};                                                                                \
    for (int i = 0; i < count; i++) r[i] = rt_fcvt##mode##_##I##16_f16(c, ((rt_u16x8)a)[i]);         \
    return (rt_v128)r;                                                                               \
  }
#define RT_H_TO_INTS(mode)                           \
  RT_H_TO_INT(mode, s, INT16_MIN, INT16_MAX)          \
  RT_H_TO_INT(mode, u, 0, UINT16_MAX)
RT_H_TO_INTS(n)
RT_H_TO_INTS(a)
RT_H_TO_INTS(m)
RT_H_TO_INTS(p)
RT_H_TO_INTS(z)

/* With `fraction` bits behind the point; scaling up is exact, what then exceeds the range saturates. */
#define RT_H_FIXED(I, lane)                                                                          \
  static inline rt_v128 rt_fcvtzx_##I##16x8_f16x8(rt_cpu *c, rt_v128 a, float scale, int count) {    \
    rt_u16x8 r = {0};                                                                                \
    for (int i = 0; i < count; i++)                                                                  \
      r[i] = rt_fcvtz_##I##16_of(c, rt_value_f16(((rt_u16x8)a)[i]) * scale);                         \
    return (rt_v128)r;                                                                               \
  }                                                                                                  \
  static inline rt_v128 rt_##I##cvtf_f16x8(rt_cpu *c, rt_v128 a, int fraction, int count) {          \
    rt_u16x8 r = {0};                                                                                \
    for (int i = 0; i < count; i++) r[i] = rt_##I##cvtf_f16_##I##64(c, (lane)((rt_u16x8)a)[i], fraction); \
    return (rt_v128)r;                                                                               \
  }
RT_H_FIXED(s, int16_t)
RT_H_FIXED(u, uint16_t)

#endif
