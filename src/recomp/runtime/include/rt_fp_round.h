/* Rounding to integers, and conversion between floating point and integers. Included by rt_fp.h. */
#ifndef RT_FP_ROUND_H
#define RT_FP_ROUND_H

/* Without these the compiler calls libm, whose rounding functions may raise inexact and which lacks roundeven. */
#if defined(__SSE4_1__) || defined(__aarch64__) || defined(__wasm__)
#define RT_HAS_ROUND 1
#else
#define RT_HAS_ROUND 0
#endif

/* FRINT*: `r` integral in the given direction; the sign of zero stays, only FRINTX raises inexact. */
#define RT_ROUND(F, type, utype, stype, sfx, BIG, WIDTH)                                                             \
  static inline type rt_sign_of_##F(type r, type a) {                                                         \
    return rt_##F((rt_bits_##F(a) & ((utype)1 << (8 * sizeof a - 1))) | rt_bits_##F(rt_fabs_##F(r)));         \
  }                                                                                                           \
  static inline type rt_trunc_##F(type a) {                                                                   \
    if (RT_HAS_ROUND) return __builtin_trunc##sfx(a);                                                         \
    /* Without inexact: clear the bits behind the point. */                                                   \
    const utype u = rt_bits_##F(a);                                                                           \
    const int exponent = (int)((u << 1) >> (WIDTH + 1)) - (int)(((utype)~(utype)0 >> 1) >> (WIDTH + 1));      \
    if (exponent >= WIDTH) return a;                                                                          \
    return rt_##F(exponent < 0 ? u & ((utype)1 << (8 * sizeof a - 1)) : u & ~(((utype)1 << WIDTH >> exponent) - 1)); \
  }                                                                                                           \
  static inline type rt_floor_##F(type a) {                                                                   \
    if (RT_HAS_ROUND) return __builtin_floor##sfx(a);                                                         \
    const type t = rt_trunc_##F(a);                                                                           \
    return __builtin_isgreater(t, a) ? t - 1 : t;                                                             \
  }                                                                                                           \
  static inline type rt_ceil_##F(type a) {                                                                    \
    if (RT_HAS_ROUND) return __builtin_ceil##sfx(a);                                                          \
    const type t = rt_trunc_##F(a);                                                                           \
    return __builtin_isless(t, a) ? rt_sign_of_##F(t + 1, a) : t;                                             \
  }                                                                                                           \
  static inline type rt_away_##F(type a) {                                                                    \
    const type t = rt_trunc_##F(a), rest = rt_fabs_##F(a - t);                                                \
    return __builtin_isgreaterequal(rest, (type)0.5) ? rt_sign_of_##F(rt_fabs_##F(t) + 1, a) : t;             \
  }                                                                                                           \
  static inline type rt_even_##F(type a) {                                                                    \
    if (RT_HAS_ROUND) return __builtin_roundeven##sfx(a);                                                     \
    if (!__builtin_isless(rt_fabs_##F(a), BIG)) return a;                                                     \
    const type t = rt_trunc_##F(a), rest = rt_fabs_##F(a - t);                                                \
    const int odd = (stype)t & 1;                                                                             \
    return rest > (type)0.5 || (rest == (type)0.5 && odd) ? rt_sign_of_##F(rt_fabs_##F(t) + 1, a) : t;        \
  }                                                                                                           \
  static inline type rt_nearby_##F(rt_cpu *c, type a) {                                                       \
    if (RT_HAS_ROUND) return __builtin_nearbyint##sfx(a);                                                     \
    switch (rt_rounding(c)) {                                                                                 \
      case RT_NEAREST: return rt_even_##F(a);                                                                 \
      case RT_UP: return rt_ceil_##F(a);                                                                      \
      case RT_DOWN: return rt_floor_##F(a);                                                                   \
      default: return rt_trunc_##F(a);                                                                        \
    }                                                                                                         \
  }                                                                                                           \
  static inline type rt_frintz_##F(rt_cpu *c, type a) {                                                       \
    return RT_LIKELY(!RT_IS_NAN(a)) ? rt_trunc_##F(a) : rt_nan1_##F(c, a);                                           \
  }                                                                                                           \
  static inline type rt_frintm_##F(rt_cpu *c, type a) {                                                       \
    return RT_LIKELY(!RT_IS_NAN(a)) ? rt_floor_##F(a) : rt_nan1_##F(c, a);                                           \
  }                                                                                                           \
  static inline type rt_frintp_##F(rt_cpu *c, type a) {                                                       \
    return RT_LIKELY(!RT_IS_NAN(a)) ? rt_ceil_##F(a) : rt_nan1_##F(c, a);                                            \
  }                                                                                                           \
  static inline type rt_frinta_##F(rt_cpu *c, type a) {                                                       \
    return __builtin_isless(rt_fabs_##F(a), BIG) ? rt_away_##F(a) : RT_LIKELY(!RT_IS_NAN(a)) ? a : rt_nan1_##F(c, a); \
  }                                                                                                           \
  static inline type rt_frintn_##F(rt_cpu *c, type a) {                                                       \
    return RT_LIKELY(!RT_IS_NAN(a)) ? rt_even_##F(a) : rt_nan1_##F(c, a);                                            \
  }                                                                                                           \
  static inline type rt_frinti_##F(rt_cpu *c, type a) {                                                       \
    return RT_LIKELY(!RT_IS_NAN(a)) ? rt_nearby_##F(c, a) : rt_nan1_##F(c, a);                                       \
  }                                                                                                           \
  static inline type rt_frintx_##F(rt_cpu *c, type a) {                                                       \
    const type r = rt_frinti_##F(c, a);                                                                       \
    if (r != a && a == a) c->fpsr |= RT_IXC;                                                                  \
    return r;                                                                                                 \
  }
RT_ROUND(f64, double, uint64_t, int64_t, , 0x1p52, 52)
RT_ROUND(f32, float, uint32_t, int32_t, f, 0x1p23f, 23)

/* FCVTZ*: towards zero, saturating; NaN gives zero. The host raises inexact, the cold path invalid. */
#define RT_TO_INT(I, itype, F, type, INSIDE, CONVERT, MIN, MAX)                        \
  RT_COLD itype rt_outside_##I##_##F(rt_cpu *c, type a) {                              \
    c->fpsr |= RT_IOC;                                                                 \
    return a != a ? 0 : rt_bits_##F(a) >> (8 * sizeof a - 1) ? MIN : MAX;              \
  }                                                                                    \
  static inline itype rt_fcvtz_##I##_##F(rt_cpu *c, type a) {                          \
    if (RT_LIKELY(INSIDE)) return CONVERT;                                             \
    return rt_outside_##I##_##F(c, a);                                                 \
  }
#define RT_BETWEEN(low, high) (__builtin_isgreaterequal(a, low) && __builtin_isless(a, high))
#define RT_BETWEEN_X(low, high) (__builtin_isgreater(a, low) && __builtin_isless(a, high))
RT_TO_INT(s64, int64_t, f64, double, RT_BETWEEN(-0x1p63, 0x1p63), (int64_t)a, INT64_MIN, INT64_MAX)
RT_TO_INT(s64, int64_t, f32, float, RT_BETWEEN(-0x1p63f, 0x1p63f), (int64_t)a, INT64_MIN, INT64_MAX)
RT_TO_INT(s32, int32_t, f64, double, RT_BETWEEN_X(-0x1.00000002p31, 0x1p31), (int32_t)a, INT32_MIN, INT32_MAX)
RT_TO_INT(s32, int32_t, f32, float, RT_BETWEEN(-0x1p31f, 0x1p31f), (int32_t)a, INT32_MIN, INT32_MAX)
RT_TO_INT(u32, uint32_t, f64, double, RT_BETWEEN_X(-1.0, 0x1p32), (uint32_t)(int64_t)a, 0, UINT32_MAX)
RT_TO_INT(u32, uint32_t, f32, float, RT_BETWEEN_X(-1.0f, 0x1p32f), (uint32_t)(int64_t)a, 0, UINT32_MAX)
#define RT_BIG_U64(high) (a < high ? (uint64_t)(int64_t)a : (uint64_t)(int64_t)(a - high) ^ UINT64_C(1) << 63)
RT_TO_INT(u64, uint64_t, f64, double, RT_BETWEEN_X(-1.0, 0x1p64), RT_BIG_U64(0x1p63), 0, UINT64_MAX)
RT_TO_INT(u64, uint64_t, f32, float, RT_BETWEEN_X(-1.0f, 0x1p64f), RT_BIG_U64(0x1p63f), 0, UINT64_MAX)

/* FCVT[NAMP]*: the value rounded first, without inexact, which is raised here if the result is in range. */
#define RT_TO_INT_ROUNDED(I, itype, F, type, mode)                           \
  static inline itype rt_fcvt##mode##_##I##_##F(rt_cpu *c, type a) {         \
    const type r = rt_frint##mode##_##F(c, a);                               \
    if (r != a && RT_LIKELY(rt_fits_##I##_##F(r))) c->fpsr |= RT_IXC;        \
    return rt_fcvtz_##I##_##F(c, r);                                         \
  }
#define RT_FITS(F, type)                                                                               \
  static inline int rt_fits_s64_##F(type a) { return RT_BETWEEN((type)-0x1p63, (type)0x1p63); }        \
  static inline int rt_fits_u64_##F(type a) { return RT_BETWEEN((type)0, (type)0x1p64); }              \
  static inline int rt_fits_s32_##F(type a) { return RT_BETWEEN((type)-0x1p31, (type)0x1p31); }        \
  static inline int rt_fits_u32_##F(type a) { return RT_BETWEEN((type)0, (type)0x1p32); }
RT_FITS(f64, double)
RT_FITS(f32, float)
#define RT_TO_INT_MODES(I, itype, F, type)   \
  RT_TO_INT_ROUNDED(I, itype, F, type, n)    \
  RT_TO_INT_ROUNDED(I, itype, F, type, a)    \
  RT_TO_INT_ROUNDED(I, itype, F, type, m)    \
  RT_TO_INT_ROUNDED(I, itype, F, type, p)
RT_TO_INT_MODES(s64, int64_t, f64, double)
RT_TO_INT_MODES(s32, int32_t, f64, double)
RT_TO_INT_MODES(u64, uint64_t, f64, double)
RT_TO_INT_MODES(u32, uint32_t, f64, double)
RT_TO_INT_MODES(s64, int64_t, f32, float)
RT_TO_INT_MODES(s32, int32_t, f32, float)
RT_TO_INT_MODES(u64, uint64_t, f32, float)
RT_TO_INT_MODES(u32, uint32_t, f32, float)

/* FCVTZ* to fixed point: scaled by a power of two (at most 2^64) in double precision, where that is exact; what is
 * out of range unscaled stays as it is. */
static inline double rt_scaled(double a, double scale) { return __builtin_isless(rt_fabs_f64(a), 0x1p65) ? a * scale : a; }

/* [SU]CVTF, in the current rounding mode. 0 is +0 in each. */
#define RT_FROM_INT(F, type)                                                                                \
  static inline type rt_scvtf_##F##_s64(int64_t n) { return (type)n; }                                      \
  static inline type rt_scvtf_##F##_s32(int32_t n) { return (type)n; }                                      \
  static inline type rt_ucvtf_##F##_u32(uint32_t n) { return (type)(int64_t)n; }                            \
  static inline type rt_ucvtf_##F##_u64(uint64_t n) {                                                       \
    /* The lowest bit stands for all that is lost. */                                                       \
    return RT_LIKELY((int64_t)n >= 0) ? (type)(int64_t)n : (type)(int64_t)(n >> 1 | (n & 1)) * (type)2;     \
  }
RT_FROM_INT(f64, double)
RT_FROM_INT(f32, float)

#endif
