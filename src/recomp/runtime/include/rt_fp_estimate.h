/* Reciprocal and reciprocal square root estimates, bit for bit (RecipEstimate, RecipSqrtEstimate, FPRecipEstimate,
 * FPRSqrtEstimate, FPRecpX, UnsignedRecipEstimate, UnsignedRSqrtEstimate; DDI 0487, shared pseudocode). Included by
 * rt_fp.h.
 */
#ifndef RT_FP_ESTIMATE_H
#define RT_FP_ESTIMATE_H

/* 256 <= a < 512 is 0.5 to 1 in units of 1/512; so is the result, 1 to 2 in units of 1/256. */
static inline uint32_t rt_recip_estimate(uint32_t a) { return ((1u << 19) / (a * 2 + 1) + 1) / 2; }
/* 128 <= a < 512 */
static inline uint32_t rt_rsqrt_estimate(uint32_t a) {
  uint32_t b = 512;
  a = a < 256 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2;
  while (a * (b + 1) * (uint64_t)(b + 1) < (1u << 28)) b++;
  return (b + 1) / 2;
}

static inline uint32_t rt_urecpe1(uint32_t a) { return a >> 31 ? rt_recip_estimate(a >> 23) << 23 : UINT32_MAX; }
static inline uint32_t rt_ursqrte1(uint32_t a) { return a >> 30 ? rt_rsqrt_estimate(a >> 23) << 23 : UINT32_MAX; }

/* Formats as their bits in a uint64_t: `bits` wide, `width` bits of fraction, largest biased exponent `top`. */
typedef struct rt_format {
  int bits, width, top;
} rt_format;

static inline uint64_t rt_pack(rt_format f, uint64_t sign, int exponent, uint64_t fraction52) {
  return sign << (f.bits - 1) | (uint64_t)exponent << f.width | fraction52 >> (52 - f.width);
}

/* `a` is no NaN, and zero where it is flushed. Results above the largest number follow the rounding mode. */
static inline uint64_t rt_recip_bits(rt_cpu *c, rt_format f, uint64_t a) {
  const uint64_t sign = a >> (f.bits - 1), one = 1;
  uint64_t fraction = (a & ((one << f.width) - 1)) << (52 - f.width);
  int exponent = (int)(a >> f.width) & f.top;
  if (exponent == f.top) return rt_pack(f, sign, 0, 0);
  if (exponent == 0 && fraction == 0) {
    c->fpsr |= RT_DZC;
    return rt_pack(f, sign, f.top, 0);
  }
  if (exponent == 0 && fraction < one << 50) { /* below a quarter of the smallest normal number */
    const unsigned mode = rt_rounding(c);
    c->fpsr |= RT_OFC | RT_IXC;
    if (mode == RT_NEAREST || (mode == RT_UP && !sign) || (mode == RT_DOWN && sign)) return rt_pack(f, sign, f.top, 0);
    return rt_pack(f, sign, f.top - 1, (one << 52) - 1);
  }
  if (c->fpcr & RT_FZ && f.bits != 16 && exponent >= f.top - 2) {
    c->fpsr |= RT_UFC;
    return rt_pack(f, sign, 0, 0);
  }
  if (exponent == 0) {
    exponent = fraction >> 51 ? 0 : -1;
    fraction = (fraction << (fraction >> 51 ? 1 : 2)) & ((one << 52) - 1);
  }
  int result = f.top - 2 - exponent;
  fraction = (uint64_t)(rt_recip_estimate(0x100 | (uint32_t)(fraction >> 44)) & 0xff) << 44;
  if (result == 0) fraction = one << 51 | fraction >> 1;
  if (result == -1) fraction = one << 50 | fraction >> 2, result = 0;
  return rt_pack(f, sign, result, fraction);
}

/* `a` is positive, finite and not zero. */
static inline uint64_t rt_rsqrt_bits(rt_format f, uint64_t a) {
  uint64_t fraction = (a & ((UINT64_C(1) << f.width) - 1)) << (52 - f.width);
  int exponent = (int)(a >> f.width) & f.top;
  if (exponent == 0) {
    for (; !(fraction >> 51 & 1); fraction <<= 1) exponent--;
    fraction = fraction << 1 & ((UINT64_C(1) << 52) - 1);
  }
  const uint32_t scaled = exponent & 1 ? 0x80 | (uint32_t)(fraction >> 45) : 0x100 | (uint32_t)(fraction >> 44);
  const int bias = f.top >> 1, result = (3 * bias - 1 - exponent) / 2;
  return rt_pack(f, 0, result, (uint64_t)(rt_rsqrt_estimate(scaled) & 0xff) << 44);
}

/* nan: the result for a NaN operand; flushed: with FPCR.FZ, the operand. */
#define RT_ESTIMATES(F, type, utype, TO_BITS, FROM_BITS, NAN, FLUSH, ...)                              \
  static inline type rt_frecpe_##F(rt_cpu *c, type a) {                                                \
    const rt_format f = __VA_ARGS__;                                                                   \
    const utype u = FLUSH(TO_BITS(a));                                                                 \
    if (rt_is_nan_##F(u)) return NAN(c, a);                                                            \
    return FROM_BITS((utype)rt_recip_bits(c, f, u));                                                   \
  }                                                                                                    \
  static inline type rt_frsqrte_##F(rt_cpu *c, type a) {                                               \
    const rt_format f = __VA_ARGS__;                                                                   \
    const utype u = FLUSH(TO_BITS(a)), sign = u >> (f.bits - 1), top = (utype)((utype)f.top << f.width); \
    if (rt_is_nan_##F(u)) return NAN(c, a);                                                            \
    if ((utype)(u << 1) == 0) {                                                                        \
      c->fpsr |= RT_DZC;                                                                               \
      return FROM_BITS((utype)rt_pack(f, sign, f.top, 0));                                             \
    }                                                                                                  \
    if (sign) {                                                                                        \
      c->fpsr |= RT_IOC;                                                                               \
      return FROM_BITS((utype)(top | (utype)1 << (f.width - 1)));                                      \
    }                                                                                                  \
    return FROM_BITS(u == top ? (utype)0 : (utype)rt_rsqrt_bits(f, u));                                \
  }                                                                                                    \
  static inline type rt_frecpx_##F(rt_cpu *c, type a) {                                                \
    const rt_format f = __VA_ARGS__;                                                                   \
    const utype u = TO_BITS(a);                                                                        \
    const int exponent = (int)(u >> f.width) & f.top;                                                  \
    if (rt_is_nan_##F(u)) return NAN(c, a);                                                            \
    return FROM_BITS((utype)rt_pack(f, u >> (f.bits - 1), exponent ? f.top & ~exponent : f.top - 1, 0)); \
  }
#define RT_FLUSH_f64(u) (c->fpcr & RT_FZ && !((u) >> 52 & 0x7ff) ? (u) & UINT64_C(0x8000000000000000) : (u))
#define RT_FLUSH_f32(u) (c->fpcr & RT_FZ && !((u) >> 23 & 0xff) ? (u) & 0x80000000u : (u))
#define RT_FLUSH_f16(u) (u)
RT_ESTIMATES(f64, double, uint64_t, rt_bits_f64, rt_f64, rt_nan1_f64, RT_FLUSH_f64, {64, 52, 0x7ff})
RT_ESTIMATES(f32, float, uint32_t, rt_bits_f32, rt_f32, rt_nan1_f32, RT_FLUSH_f32, {32, 23, 0xff})
RT_ESTIMATES(f16, uint16_t, uint16_t, , , rt_nan_f16, RT_FLUSH_f16, {16, 10, 0x1f})

#endif
