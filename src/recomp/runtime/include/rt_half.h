/* Half precision: storage and conversion (FEAT_FP of ARMv8.0), arithmetic (FEAT_FP16). Included by rt_fp.h.
 *
 * A half is its 16 bits in a uint16_t. Conversion is in software, since FPCR.AHP chooses a format without infinities
 * and NaNs that no host has. Arithmetic is done in single precision and rounded again, which gives what one rounding
 * would (24 >= 2 * 11 + 2 bits); a fused multiply-add is rounded to odd in between.
 */
#ifndef RT_HALF_H
#define RT_HALF_H

static inline int rt_is_nan_f16(uint16_t a) { return (a & 0x7fff) > 0x7c00; }
static inline int rt_is_snan_f16(uint16_t a) { return rt_is_nan_f16(a) && !(a & 0x0200); }

/* The number a half stands for (NaNs keep payload and signalling bit). */
static inline float rt_value_f16(uint16_t a) {
  const uint32_t sign = (uint32_t)(a & 0x8000) << 16, magnitude = a & 0x7fff;
  if (magnitude >= 0x7c00) return rt_f32(sign | 0x7f800000u | (magnitude & 0x3ff) << 13);
  if (magnitude >= 0x0400) return rt_f32(sign | ((magnitude << 13) + 0x38000000u));
  return rt_f32(sign | rt_bits_f32((float)(int32_t)magnitude * 0x1p-24f));
}
RT_COLD uint16_t rt_nan_f16(rt_cpu *c, uint16_t a) {
  if (rt_is_snan_f16(a)) c->fpsr |= RT_IOC;
  return c->fpcr & RT_DN ? 0x7e00 : a | 0x0200;
}

/* A finite or infinite double rounded to half precision in the current mode (FPRound, FPRoundCV). */
static inline uint16_t rt_round_f16(rt_cpu *c, double a, int alternative) {
  const uint64_t u = rt_bits_f64(a), sign = u >> 63;
  const uint16_t top = (uint16_t)(sign << 15);
  const int exponent = (int)(u >> 52 & 0x7ff) - 1023;
  if (exponent == 1024) {
    if (!alternative) return top | 0x7c00;
    c->fpsr |= RT_IOC;
    return top | 0x7fff;
  }
  if ((u << 1) == 0) return top;
  const uint64_t mantissa = (u & ((UINT64_C(1) << 52) - 1)) | (exponent > -1023 ? UINT64_C(1) << 52 : 0);
  const int tiny = exponent < -14;
  int shift = tiny ? 42 + (-14 - exponent) : 42;
  if (shift > 62) shift = 62;
  const uint64_t rest = mantissa & ((UINT64_C(1) << shift) - 1), half = UINT64_C(1) << (shift - 1);
  const unsigned mode = rt_rounding(c);
  uint64_t r = (mantissa >> shift) + ((uint64_t)(tiny ? 0 : exponent + 14) << 10);
  const int up = mode == RT_NEAREST ? rest > half || (rest == half && (r & 1))
                                    : rest && ((mode == RT_UP && !sign) || (mode == RT_DOWN && sign));
  r += (unsigned)up;
  if (alternative && r > 0x7fff) {
    c->fpsr |= RT_IOC;
    return top | 0x7fff;
  }
  if (!alternative && r >= 0x7c00) {
    c->fpsr |= RT_OFC | RT_IXC;
    return top | (mode == RT_NEAREST || (mode == RT_UP && !sign) || (mode == RT_DOWN && sign) ? 0x7c00 : 0x7bff);
  }
  if (rest) c->fpsr |= tiny ? RT_UFC | RT_IXC : RT_IXC;
  return top | (uint16_t)r;
}

/* --- FCVT */

RT_COLD uint16_t rt_nan_f16_f64(rt_cpu *c, double a) {
  const uint64_t u = rt_bits_f64(a);
  if (rt_is_snan_f64(u) || c->fpcr & RT_AHP) c->fpsr |= RT_IOC;
  if (c->fpcr & RT_AHP) return (uint16_t)(u >> 48 & 0x8000);
  if (c->fpcr & RT_DN) return 0x7e00;
  return (uint16_t)((u >> 48 & 0x8000) | 0x7e00 | (u >> 42 & 0x1ff));
}
static inline uint16_t rt_fcvt_f16_f64(rt_cpu *c, double a) {
  if (RT_UNLIKELY(RT_IS_NAN(a))) return rt_nan_f16_f64(c, a);
  return rt_round_f16(c, a, (c->fpcr & RT_AHP) != 0);
}
static inline uint16_t rt_fcvt_f16_f32(rt_cpu *c, float a) {
  if (RT_UNLIKELY(RT_IS_NAN(a))) {
    const uint32_t u = rt_bits_f32(a);
    return rt_nan_f16_f64(c, rt_f64((uint64_t)(u >> 31) << 63 | UINT64_C(0x7ff) << 52 | (uint64_t)(u & 0x7fffff) << 29));
  }
  return rt_round_f16(c, (double)a, (c->fpcr & RT_AHP) != 0);
}
static inline float rt_fcvt_f32_f16(rt_cpu *c, uint16_t a) {
  const uint32_t sign = (uint32_t)(a & 0x8000) << 16, magnitude = a & 0x7fff;
  if (magnitude >= 0x7c00 && c->fpcr & RT_AHP) return rt_f32(sign | ((magnitude << 13) + 0x38000000u));
  return rt_value_f16(rt_is_nan_f16(a) ? rt_nan_f16(c, a) : a);
}
static inline double rt_fcvt_f64_f16(rt_cpu *c, uint16_t a) {
  const float f = rt_fcvt_f32_f16(c, a);
  if (RT_LIKELY(!RT_IS_NAN(f))) return (double)f;
  const uint32_t u = rt_bits_f32(f);
  return rt_f64((uint64_t)(u >> 31) << 63 | UINT64_C(0x7ff) << 52 | (uint64_t)(u & 0x7fffff) << 29);
}

/* --- arithmetic: `r` is the result in single precision, a NaN already chosen */

static inline uint16_t rt_half_of(rt_cpu *c, float r) {
  if (RT_UNLIKELY(RT_IS_NAN(r))) return (uint16_t)(rt_bits_f32(r) >> 16 & 0x8000) | (uint16_t)(rt_bits_f32(r) >> 13 & 0x7fff);
  return rt_round_f16(c, (double)r, 0);
}
#define RT_HALF_1(name) \
  static inline uint16_t rt_##name##_f16(rt_cpu *c, uint16_t a) { return rt_half_of(c, rt_##name##_f32(c, rt_value_f16(a))); }
#define RT_HALF_2(name)                                                              \
  static inline uint16_t rt_##name##_f16(rt_cpu *c, uint16_t a, uint16_t b) {        \
    return rt_half_of(c, rt_##name##_f32(c, rt_value_f16(a), rt_value_f16(b)));      \
  }
#define RT_HALF_COMPARE(name)                                                        \
  static inline int rt_##name##_f16(rt_cpu *c, uint16_t a, uint16_t b) {             \
    return rt_##name##_f32(c, rt_value_f16(a), rt_value_f16(b));                     \
  }
RT_HALF_1(fsqrt)
RT_HALF_1(frintn)
RT_HALF_1(frintp)
RT_HALF_1(frintm)
RT_HALF_1(frintz)
RT_HALF_1(frinta)
RT_HALF_1(frintx)
RT_HALF_1(frinti)
RT_HALF_2(fadd)
RT_HALF_2(fsub)
RT_HALF_2(fmul)
RT_HALF_2(fdiv)
RT_HALF_2(fmulx)
RT_HALF_2(fmax)
RT_HALF_2(fmin)
RT_HALF_2(fmaxnm)
RT_HALF_2(fminnm)
RT_HALF_COMPARE(fcmeq)
RT_HALF_COMPARE(fcmge)
RT_HALF_COMPARE(fcmgt)
RT_HALF_COMPARE(facge)
RT_HALF_COMPARE(facgt)
static inline uint16_t rt_fabs_f16(uint16_t a) { return a & 0x7fff; }
static inline uint16_t rt_fneg_f16(uint16_t a) { return a ^ 0x8000; }
static inline uint16_t rt_fnmul_f16(rt_cpu *c, uint16_t a, uint16_t b) { return rt_fneg_f16(rt_fmul_f16(c, a, b)); }
static inline uint16_t rt_fabd_f16(rt_cpu *c, uint16_t a, uint16_t b) { return rt_fabs_f16(rt_fsub_f16(c, a, b)); }
RT_COLD void rt_unordered_f16(rt_cpu *c, uint16_t a, uint16_t b, int quiet) {
  if (!quiet || rt_is_snan_f16(a) || rt_is_snan_f16(b)) c->fpsr |= RT_IOC;
}

/* x + y for finite halves' sums and products, in double precision rounded to odd: the exact sum's other part decides
 * the last bit, whatever the rounding mode. */
static inline double rt_odd_sum(double x, double y) {
  const double big = rt_fabs_f64(x) >= rt_fabs_f64(y) ? x : y, small = rt_fabs_f64(x) >= rt_fabs_f64(y) ? y : x;
  const double sum = big + small, rest = small - (sum - big);
  uint64_t u = rt_bits_f64(sum);
  if (rest == 0) return sum;
  if (!(u & 1)) u = (rest > 0) == (sum > 0) ? u | 1 : u - 1;
  return rt_f64(u);
}
static inline uint16_t rt_half_fma(rt_cpu *c, float addend, float x, float y, double scale) {
  const float r = rt_fma_f32(c, addend, x, y);
  if (!__builtin_isless(rt_fabs_f32(r), 0x1p120f)) return rt_half_of(c, r);
  const double sum = rt_odd_sum((double)x * (double)y, (double)addend);
  return rt_round_f16(c, sum == 0 ? (double)r : sum * scale, 0);
}
static inline uint16_t rt_fma_f16(rt_cpu *c, uint16_t addend, uint16_t a, uint16_t b) {
  return rt_half_fma(c, rt_value_f16(addend), rt_value_f16(a), rt_value_f16(b), 1);
}
static inline uint16_t rt_frecps_f16(rt_cpu *c, uint16_t a, uint16_t b) {
  const float x = rt_value_f16(a), y = rt_value_f16(b), n = rt_fneg_f32(x);
  if (rt_is_nan_f16(a) || rt_is_nan_f16(b)) return rt_half_of(c, rt_nan2_f32(c, n, y));
  if ((rt_fabs_f16(a) == 0x7c00 && y == 0) || (rt_fabs_f16(b) == 0x7c00 && x == 0)) return 0x4000;
  return rt_half_fma(c, 2, n, y, 1);
}
static inline uint16_t rt_frsqrts_f16(rt_cpu *c, uint16_t a, uint16_t b) {
  const float x = rt_value_f16(a), y = rt_value_f16(b), n = rt_fneg_f32(x);
  if (rt_is_nan_f16(a) || rt_is_nan_f16(b)) return rt_half_of(c, rt_nan2_f32(c, n, y));
  if ((rt_fabs_f16(a) == 0x7c00 && y == 0) || (rt_fabs_f16(b) == 0x7c00 && x == 0)) return 0x3e00;
  return rt_half_fma(c, 3, n, y, 0.5);
}

/* --- integers */

/* Rounded to odd at 53 bits, which a second rounding does not see. */
static inline double rt_odd_u64(uint64_t n) {
  return n >> 53 ? (double)(int64_t)(n >> 11 | ((n & 0x7ff) != 0)) * 2048 : (double)(int64_t)n;
}
static inline uint16_t rt_ucvtf_f16_u64(rt_cpu *c, uint64_t n, int fraction) {
  return rt_round_f16(c, rt_odd_u64(n) * rt_f64((uint64_t)(1023 - fraction) << 52), 0);
}
static inline uint16_t rt_scvtf_f16_s64(rt_cpu *c, int64_t n, int fraction) {
  const double r = n < 0 ? -rt_odd_u64(0 - (uint64_t)n) : rt_odd_u64((uint64_t)n);
  return rt_round_f16(c, r * rt_f64((uint64_t)(1023 - fraction) << 52), 0);
}
#define RT_HALF_TO_INT(I, itype)                                                                                        \
  static inline itype rt_fcvtz_##I##_f16(rt_cpu *c, uint16_t a) { return rt_fcvtz_##I##_f32(c, rt_value_f16(a)); }      \
  static inline itype rt_fcvtn_##I##_f16(rt_cpu *c, uint16_t a) { return rt_fcvtn_##I##_f32(c, rt_value_f16(a)); }      \
  static inline itype rt_fcvta_##I##_f16(rt_cpu *c, uint16_t a) { return rt_fcvta_##I##_f32(c, rt_value_f16(a)); }      \
  static inline itype rt_fcvtm_##I##_f16(rt_cpu *c, uint16_t a) { return rt_fcvtm_##I##_f32(c, rt_value_f16(a)); }      \
  static inline itype rt_fcvtp_##I##_f16(rt_cpu *c, uint16_t a) { return rt_fcvtp_##I##_f32(c, rt_value_f16(a)); }
RT_HALF_TO_INT(s64, int64_t)
RT_HALF_TO_INT(u64, uint64_t)
RT_HALF_TO_INT(s32, int32_t)
RT_HALF_TO_INT(u32, uint32_t)

#endif
