/* Saturating arithmetic and shifts by a register. Saturation sets FPSR.QC. Included by rt_simd.h. */
#ifndef RT_SIMD_SAT_H
#define RT_SIMD_SAT_H

static inline void rt_qc(rt_cpu *c, rt_v128 saturated) {
  if (RT_UNLIKELY(rt_any(saturated))) c->fpsr |= RT_QC;
}

#define RT_SAT_UNSIGNED(T, U, S, lane, bits, lanes)                                      \
  static inline rt_v128 rt_qadd_##T(rt_cpu *c, rt_v128 a, rt_v128 b) {                   \
    const rt_v128 r = rt_add_##T(a, b), over = rt_cmgt_##T(a, r);                        \
    rt_qc(c, over);                                                                      \
    return r | over;                                                                     \
  }                                                                                      \
  static inline rt_v128 rt_qsub_##T(rt_cpu *c, rt_v128 a, rt_v128 b) {                   \
    const rt_v128 under = rt_cmgt_##T(b, a);                                             \
    rt_qc(c, under);                                                                     \
    return rt_sub_##T(a, b) & ~under;                                                    \
  }                                                                                      \
  /* USQADD: unsigned d plus signed a. */                                                \
  static inline rt_v128 rt_sqaddu_##T(rt_cpu *c, rt_v128 d, rt_v128 a) {                 \
    const rt_v128 r = rt_add_##T(d, a), minus = rt_shr_##S(a, bits);                     \
    const rt_v128 over = rt_cmgt_##T(d, r) & ~minus, under = rt_cmgt_##T(r, d) & minus;  \
    rt_qc(c, over | under);                                                              \
    return (r | over) & ~under;                                                          \
  }                                                                                      \
  static inline lane rt_limit_##T(lane a) {                                              \
    (void)a;                                                                             \
    return (lane) ~(lane)0;                                                              \
  }
RT_EACH_U(RT_SAT_UNSIGNED)

#define RT_SAT_SIGNED(T, U, S, lane, bits, lanes)                                        \
  static inline lane rt_limit_##T(lane a) {                                              \
    return (lane)(a < 0 ? UINT64_C(1) << (bits - 1) : (UINT64_C(1) << (bits - 1)) - 1);  \
  }                                                                                      \
  static inline rt_v128 rt_limits_##T(rt_v128 a) {                                       \
    return rt_shr_##T(a, bits) ^ rt_dup_##T(rt_limit_##T(0));                            \
  }                                                                                      \
  static inline rt_v128 rt_qadd_##T(rt_cpu *c, rt_v128 a, rt_v128 b) {                   \
    const rt_v128 r = rt_add_##U(a, b), over = rt_shr_##T((a ^ r) & (b ^ r), bits);      \
    rt_qc(c, over);                                                                      \
    return rt_select(over, rt_limits_##T(a), r);                                         \
  }                                                                                      \
  static inline rt_v128 rt_qsub_##T(rt_cpu *c, rt_v128 a, rt_v128 b) {                   \
    const rt_v128 r = rt_sub_##U(a, b), over = rt_shr_##T((a ^ b) & (a ^ r), bits);      \
    rt_qc(c, over);                                                                      \
    return rt_select(over, rt_limits_##T(a), r);                                         \
  }                                                                                      \
  /* SUQADD: signed d plus unsigned a. */                                                \
  static inline rt_v128 rt_uqadds_##T(rt_cpu *c, rt_v128 d, rt_v128 a) {                 \
    const rt_v128 r = rt_add_##U(d, a), over = rt_cmgt_##T(d, r);                        \
    rt_qc(c, over);                                                                      \
    return rt_select(over, rt_dup_##T(rt_limit_##T(0)), r);                              \
  }                                                                                      \
  static inline rt_v128 rt_qneg_##T(rt_cpu *c, rt_v128 a) { return rt_qsub_##T(c, (rt_v128){0, 0}, a); } \
  static inline rt_v128 rt_qabs_##T(rt_cpu *c, rt_v128 a) {                              \
    const rt_v128 minus = rt_shr_##T(a, bits);                                           \
    return rt_select(minus, rt_qneg_##T(c, a & minus), a);                               \
  }                                                                                      \
  /* SQSHLU: signed a, unsigned result. */                                               \
  static inline rt_v128 rt_qshlu_##T(rt_cpu *c, rt_v128 a, int n) {                      \
    const rt_v128 r = rt_shl_##U(a, n), minus = rt_shr_##T(a, bits);                     \
    const rt_v128 over = ~rt_cmeq_##U(n ? rt_shr_##U(r, n) : r, a) & ~minus;             \
    rt_qc(c, over | minus);                                                              \
    return (r | over) & ~minus;                                                          \
  }
RT_EACH_S(RT_SAT_SIGNED)

#define RT_SAT_SHIFT(T, U, S, lane, bits, lanes)                                         \
  static inline rt_v128 rt_qshl_##T(rt_cpu *c, rt_v128 v, int n) {                       \
    rt_##T a = (rt_##T)v;                                                                \
    int saturated = 0;                                                                   \
    for (int i = 0; i < lanes; i++) {                                                    \
      const lane r = (lane)((uint64_t)a[i] << n), back = (lane)(r >> n);                 \
      saturated |= back != a[i];                                                         \
      a[i] = back != a[i] ? rt_limit_##T(a[i]) : r;                                      \
    }                                                                                    \
    if (saturated) c->fpsr |= RT_QC;                                                     \
    return (rt_v128)a;                                                                   \
  }                                                                                      \
  /* Shifts by the signed lowest byte of each lane of b, to the right where negative. */ \
  static inline lane rt_right1_##T(lane a, int n, int round) {                           \
    if (n > bits) return round || a >= 0 ? 0 : (lane)-1;                                 \
    const lane half = (lane)(a >> (n - 1)), whole = n == bits ? (lane)-(a < 0) : (lane)(a >> n); \
    return round ? (lane)((uint64_t)whole + (half & 1)) : whole;                         \
  }                                                                                      \
  static inline lane rt_left1_##T(lane a, int n) { return n < bits ? (lane)((uint64_t)a << n) : 0; } \
  static inline rt_v128 rt_sshl_##T(rt_v128 va, rt_v128 vb, int round) {                 \
    rt_##T a = (rt_##T)va;                                                               \
    for (int i = 0; i < lanes; i++) {                                                    \
      const int n = (int8_t)((rt_##T)vb)[i];                                             \
      a[i] = n >= 0 ? rt_left1_##T(a[i], n) : rt_right1_##T(a[i], -n, round);            \
    }                                                                                    \
    return (rt_v128)a;                                                                   \
  }                                                                                      \
  static inline rt_v128 rt_sqshl_##T(rt_cpu *c, rt_v128 va, rt_v128 vb, int round) {     \
    rt_##T a = (rt_##T)va;                                                               \
    for (int i = 0; i < lanes; i++) {                                                    \
      const int n = (int8_t)((rt_##T)vb)[i];                                             \
      if (n < 0) {                                                                       \
        a[i] = rt_right1_##T(a[i], -n, round);                                           \
      } else {                                                                           \
        const lane r = rt_left1_##T(a[i], n);                                            \
        const int over = n < bits ? (lane)(r >> n) != a[i] : a[i] != 0;                  \
        if (over) c->fpsr |= RT_QC;                                                      \
        a[i] = over ? rt_limit_##T(a[i]) : r;                                            \
      }                                                                                  \
    }                                                                                    \
    return (rt_v128)a;                                                                   \
  }
RT_EACH(RT_SAT_SHIFT)

/* Narrowing: xtn keeps the sign, xtun makes unsigned of signed. T and U are the wide lanes. */
#define RT_SAT_NARROW(S, U, lane, half)                                                               \
  static inline rt_v128 rt_qxtn_##U(rt_cpu *c, rt_v128 v) {                                           \
    const rt_v128 r = rt_min_##U(v, rt_dup_##U((UINT64_C(1) << half) - 1));                           \
    rt_qc(c, r ^ v);                                                                                  \
    return rt_narrow_##U(r);                                                                          \
  }                                                                                                   \
  static inline rt_v128 rt_qxtn_##S(rt_cpu *c, rt_v128 v) {                                           \
    const lane top = (INT64_C(1) << (half - 1)) - 1;                                                  \
    const rt_v128 r = rt_max_##S(rt_min_##S(v, rt_dup_##S(top)), rt_dup_##S(-top - 1));               \
    rt_qc(c, r ^ v);                                                                                  \
    return rt_narrow_##U(r);                                                                          \
  }                                                                                                   \
  static inline rt_v128 rt_qxtun_##S(rt_cpu *c, rt_v128 v) {                                          \
    const rt_v128 r = rt_max_##S(rt_min_##S(v, rt_dup_##S((INT64_C(1) << half) - 1)), (rt_v128){0, 0}); \
    rt_qc(c, r ^ v);                                                                                  \
    return rt_narrow_##U(r);                                                                          \
  }                                                                                                   \
  /* The high halves of sums and differences. */                                                      \
  static inline rt_v128 rt_hn_##U(rt_v128 v) { return rt_narrow_##U(rt_shr_##U(v, half)); }           \
  static inline rt_v128 rt_rhn_##U(rt_v128 v) {                                                       \
    return rt_hn_##U(rt_add_##U(v, rt_dup_##U(UINT64_C(1) << (half - 1))));                           \
  }
RT_SAT_NARROW(s16x8, u16x8, int16_t, 8)
RT_SAT_NARROW(s32x4, u32x4, int32_t, 16)
RT_SAT_NARROW(s64x2, u64x2, int64_t, 32)

/* Doubling products. Only the square of the lowest number saturates in the plain forms. */
#define RT_SAT_DOUBLE(T, W, wide, lane, bits, lanes)                                                      \
  static inline rt_v128 rt_qdmull_##T(rt_cpu *c, rt_v128 a, rt_v128 b) {                                  \
    const rt_v128 p = rt_mull_##T(a, b);                                                                  \
    return rt_qadd_##W(c, p, p);                                                                          \
  }                                                                                                       \
  static inline lane rt_sat1_##T(rt_cpu *c, wide n) {                                                     \
    if (RT_LIKELY(n == (lane)n)) return (lane)n;                                                          \
    c->fpsr |= RT_QC;                                                                                     \
    return rt_limit_##T(n < 0 ? -1 : 0);                                                                  \
  }                                                                                                       \
  static inline rt_v128 rt_qdmulh_##T(rt_cpu *c, rt_v128 va, rt_v128 vb, int round) {                     \
    rt_##T a = (rt_##T)va;                                                                                \
    const wide half = (wide)round << (bits - 2);                                                          \
    for (int i = 0; i < lanes; i++)                                                                       \
      a[i] = rt_sat1_##T(c, ((wide)a[i] * ((rt_##T)vb)[i] + half) >> (bits - 1));                         \
    return (rt_v128)a;                                                                                    \
  }                                                                                                       \
  /* SQRDMLAH (sign 1) and SQRDMLSH (sign -1). */                                                         \
  static inline rt_v128 rt_qrdmla_##T(rt_cpu *c, rt_v128 vd, rt_v128 va, rt_v128 vb, int sign) {          \
    rt_##T d = (rt_##T)vd;                                                                                \
    const wide half = (wide)1 << (bits - 2);                                                              \
    for (int i = 0; i < lanes; i++) {                                                                     \
      const wide p = (wide)((rt_##T)va)[i] * ((rt_##T)vb)[i] * sign;                                      \
      d[i] = rt_sat1_##T(c, ((wide)d[i] * ((wide)1 << (bits - 1)) + p + half) >> (bits - 1));             \
    }                                                                                                     \
    return (rt_v128)d;                                                                                    \
  }
RT_SAT_DOUBLE(s16x8, s32x4, int32_t, int16_t, 16, 8)
RT_SAT_DOUBLE(s32x4, s64x2, int64_t, int32_t, 32, 4)

#endif
