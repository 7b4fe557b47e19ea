/* Advanced SIMD on compiler vector extensions: lane types, rearrangement, wrapping integer arithmetic. Included by rt.h.
 *
 * A helper works on whole 128-bit registers; for a 64-bit form the caller drops the upper half (rt_low), and where the
 * upper half of an operand could leave a trace (FPSR), drops it before as well. rt_OP_u8x16 and the like name the lanes.
 */
#ifndef RT_SIMD_H
#define RT_SIMD_H

#define RT_VECTOR(bits, lanes, half)                                             \
  typedef uint##bits##_t rt_u##bits##x##lanes __attribute__((vector_size(16)));  \
  typedef int##bits##_t rt_s##bits##x##lanes __attribute__((vector_size(16)));   \
  typedef uint##bits##_t rt_u##bits##x##half __attribute__((vector_size(8)));    \
  typedef int##bits##_t rt_s##bits##x##half __attribute__((vector_size(8)));
RT_VECTOR(8, 16, 8)
RT_VECTOR(16, 8, 4)
RT_VECTOR(32, 4, 2)
#undef RT_VECTOR
typedef rt_v128 rt_u64x2;
typedef int64_t rt_s64x2 __attribute__((vector_size(16)));
typedef float rt_f32x4 __attribute__((vector_size(16)));
typedef float rt_f32x2 __attribute__((vector_size(8)));
typedef double rt_f64x2 __attribute__((vector_size(16)));

/* Up to four registers, for instructions that load several. */
typedef struct rt_v4 {
  rt_v128 v[4];
} rt_v4;

static inline rt_v128 rt_low(rt_v128 v) { return (rt_v128){v[0], 0}; }
static inline rt_v128 rt_high(rt_v128 v) { return (rt_v128){v[1], 0}; }
static inline rt_v128 rt_join(rt_v128 low, rt_v128 high) { return (rt_v128){low[0], high[0]}; }
static inline rt_v128 rt_u64_v(uint64_t low) { return (rt_v128){low, 0}; }
static inline rt_v128 rt_keep32(rt_v128 v) { return (rt_v128){(uint32_t)v[0], 0}; }
static inline rt_v128 rt_keep16(rt_v128 v) { return (rt_v128){(uint16_t)v[0], 0}; }
static inline rt_v128 rt_keep8(rt_v128 v) { return (rt_v128){(uint8_t)v[0], 0}; }
static inline int rt_any(rt_v128 v) { return (v[0] | v[1]) != 0; }
#define RT_ANY(v) rt_any((rt_v128)(v))
#define RT_SELECT(mask, x, y) (((x) & (mask)) | ((y) & ~(mask)))
static inline rt_v128 rt_select(rt_v128 mask, rt_v128 x, rt_v128 y) { return RT_SELECT(mask, x, y); }

/* --- for each lane type: X(T, U, S, lane, bits, lanes), T itself, U and S the unsigned and signed twin */
#define RT_U8(X) X(u8x16, u8x16, s8x16, uint8_t, 8, 16)
#define RT_U16(X) X(u16x8, u16x8, s16x8, uint16_t, 16, 8)
#define RT_U32(X) X(u32x4, u32x4, s32x4, uint32_t, 32, 4)
#define RT_U64(X) X(u64x2, u64x2, s64x2, uint64_t, 64, 2)
#define RT_S8(X) X(s8x16, u8x16, s8x16, int8_t, 8, 16)
#define RT_S16(X) X(s16x8, u16x8, s16x8, int16_t, 16, 8)
#define RT_S32(X) X(s32x4, u32x4, s32x4, int32_t, 32, 4)
#define RT_S64(X) X(s64x2, u64x2, s64x2, int64_t, 64, 2)
#define RT_EACH_U(X) RT_U8(X) RT_U16(X) RT_U32(X) RT_U64(X)
#define RT_EACH_S(X) RT_S8(X) RT_S16(X) RT_S32(X) RT_S64(X)
#define RT_EACH(X) RT_EACH_U(X) RT_EACH_S(X)

/* --- rearrangement */

#define RT_LANE_ACCESS(T, U, S, lane, bits, lanes)                                                      \
  static inline lane rt_get_##T(rt_v128 v, int n) { return ((rt_##T)v)[n]; }                            \
  static inline rt_v128 rt_set_##T(rt_v128 v, int n, lane value) {                                      \
    rt_##T r = (rt_##T)v;                                                                               \
    r[n] = value;                                                                                       \
    return (rt_v128)r;                                                                                  \
  }                                                                                                     \
  static inline rt_v128 rt_dup_##T(lane value) { return (rt_v128)((rt_##T){0} + value); }
RT_EACH(RT_LANE_ACCESS)

#define RT_SHUFFLE2(name, T, ...)                                                         \
  static inline rt_v128 rt_##name##_##T(rt_v128 a, rt_v128 b) {                           \
    return (rt_v128)__builtin_shufflevector((rt_##T)a, (rt_##T)b, __VA_ARGS__);           \
  }
RT_SHUFFLE2(zip1, u8x16, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
RT_SHUFFLE2(zip2, u8x16, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
RT_SHUFFLE2(uzp1, u8x16, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
RT_SHUFFLE2(uzp2, u8x16, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
RT_SHUFFLE2(trn1, u8x16, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
RT_SHUFFLE2(trn2, u8x16, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31)
RT_SHUFFLE2(zip1, u16x8, 0, 8, 1, 9, 2, 10, 3, 11)
RT_SHUFFLE2(zip2, u16x8, 4, 12, 5, 13, 6, 14, 7, 15)
RT_SHUFFLE2(uzp1, u16x8, 0, 2, 4, 6, 8, 10, 12, 14)
RT_SHUFFLE2(uzp2, u16x8, 1, 3, 5, 7, 9, 11, 13, 15)
RT_SHUFFLE2(trn1, u16x8, 0, 8, 2, 10, 4, 12, 6, 14)
RT_SHUFFLE2(trn2, u16x8, 1, 9, 3, 11, 5, 13, 7, 15)
RT_SHUFFLE2(zip1, u32x4, 0, 4, 1, 5)
RT_SHUFFLE2(zip2, u32x4, 2, 6, 3, 7)
RT_SHUFFLE2(uzp1, u32x4, 0, 2, 4, 6)
RT_SHUFFLE2(uzp2, u32x4, 1, 3, 5, 7)
RT_SHUFFLE2(trn1, u32x4, 0, 4, 2, 6)
RT_SHUFFLE2(trn2, u32x4, 1, 5, 3, 7)
RT_SHUFFLE2(zip1, u64x2, 0, 2)
RT_SHUFFLE2(zip2, u64x2, 1, 3)
RT_SHUFFLE2(uzp1, u64x2, 0, 2)
RT_SHUFFLE2(uzp2, u64x2, 1, 3)
RT_SHUFFLE2(trn1, u64x2, 0, 2)
RT_SHUFFLE2(trn2, u64x2, 1, 3)

#define RT_SHUFFLE1(name, T, ...)                                              \
  static inline rt_v128 rt_##name##_##T(rt_v128 a) {                           \
    return (rt_v128)__builtin_shufflevector((rt_##T)a, (rt_##T)a, __VA_ARGS__); \
  }
RT_SHUFFLE1(rev64, u8x16, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8)
RT_SHUFFLE1(rev64, u16x8, 3, 2, 1, 0, 7, 6, 5, 4)
RT_SHUFFLE1(rev64, u32x4, 1, 0, 3, 2)
RT_SHUFFLE1(rev32, u8x16, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
RT_SHUFFLE1(rev32, u16x8, 1, 0, 3, 2, 5, 4, 7, 6)
RT_SHUFFLE1(rev16, u8x16, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)

/* Bytes n..n+15 of b:a; n is a constant. */
static inline rt_v128 rt_ext(rt_v128 a, rt_v128 b, int n) {
  const int k = n & 7;
  const uint64_t w0 = n < 8 ? a[0] : a[1], w1 = n < 8 ? a[1] : b[0], w2 = n < 8 ? b[0] : b[1];
  if (k == 0) return (rt_v128){w0, w1};
  return (rt_v128){w0 >> 8 * k | w1 << (64 - 8 * k), w1 >> 8 * k | w2 << (64 - 8 * k)};
}

/* t[place[i]] for places below 16. Compilers do not recognise this loop, hence the host's own instruction. */
static inline rt_u8x16 rt_permute(rt_u8x16 t, rt_u8x16 place) {
#ifdef __SSSE3__
  typedef char chars __attribute__((vector_size(16)));
  return (rt_u8x16)__builtin_ia32_pshufb128((chars)t, (chars)place);
#else
  uint8_t bytes[16];
  rt_u8x16 r;
  memcpy(bytes, &t, sizeof bytes);
  for (int i = 0; i < 16; i++) r[i] = bytes[place[i]];
  return r;
#endif
}

/* Table lookup in 1 to 4 registers; an index outside gives the byte of `other`. */
static inline rt_v128 rt_table(const rt_v128 *table, int registers, rt_v128 indices, rt_v128 other) {
  rt_u8x16 index = (rt_u8x16)indices, r = (rt_u8x16)other;
  for (int k = 0; k < registers; k++) {
    const rt_u8x16 found = rt_permute((rt_u8x16)table[k], index & 15), inside = (rt_u8x16)(index < 16);
    r = RT_SELECT(inside, found, r);
    index -= 16;
  }
  return (rt_v128)r;
}

/* --- widening the low half, narrowing into the low half */

#define RT_WIDTH(T, H, W, wide, ...)                                                        \
  static inline rt_v128 rt_widen_##T(rt_v128 v) {                                           \
    const rt_##H low = __builtin_shufflevector((rt_##T)v, (rt_##T)v, __VA_ARGS__);          \
    return (rt_v128)__builtin_convertvector(low, rt_##W);                                   \
  }                                                                                         \
  static inline rt_v128 rt_narrow_##W(rt_v128 v) {                                          \
    const rt_##H low = __builtin_convertvector((rt_##W)v, rt_##H);                          \
    uint64_t bits;                                                                          \
    memcpy(&bits, &low, sizeof bits);                                                       \
    return (rt_v128){bits, 0};                                                              \
  }
RT_WIDTH(u8x16, u8x8, u16x8, 16, 0, 1, 2, 3, 4, 5, 6, 7)
RT_WIDTH(s8x16, s8x8, s16x8, 16, 0, 1, 2, 3, 4, 5, 6, 7)
RT_WIDTH(u16x8, u16x4, u32x4, 32, 0, 1, 2, 3)
RT_WIDTH(s16x8, s16x4, s32x4, 32, 0, 1, 2, 3)
RT_WIDTH(u32x4, u32x2, u64x2, 64, 0, 1)
RT_WIDTH(s32x4, s32x2, s64x2, 64, 0, 1)

/* --- arithmetic modulo 2^bits */

#define RT_BINARY(name, T, expression)                                        \
  static inline rt_v128 rt_##name##_##T(rt_v128 va, rt_v128 vb) {             \
    const rt_##T a = (rt_##T)va, b = (rt_##T)vb;                              \
    return (rt_v128)(expression);                                             \
  }
#define RT_WRAPPING(T, U, S, lane, bits, lanes)                                        \
  RT_BINARY(add, T, a + b)                                                             \
  RT_BINARY(sub, T, a - b)                                                             \
  RT_BINARY(mul, T, a *b)                                                              \
  RT_BINARY(cmeq, T, a == b)                                                           \
  RT_BINARY(cmtst, T, (a & b) != 0)                                                    \
  static inline rt_v128 rt_mla_##T(rt_v128 d, rt_v128 a, rt_v128 b) {                  \
    return rt_add_##T(d, rt_mul_##T(a, b));                                            \
  }                                                                                    \
  static inline rt_v128 rt_mls_##T(rt_v128 d, rt_v128 a, rt_v128 b) {                  \
    return rt_sub_##T(d, rt_mul_##T(a, b));                                            \
  }                                                                                    \
  static inline rt_v128 rt_neg_##T(rt_v128 a) { return (rt_v128)(-(rt_##T)a); }        \
  static inline rt_v128 rt_shl_##T(rt_v128 a, int n) { return (rt_v128)((rt_##T)a << n); } \
  /* Shift and insert: what the shift leaves free keeps the bits of d. */              \
  static inline rt_v128 rt_sli_##T(rt_v128 d, rt_v128 a, int n) {                      \
    const rt_v128 mask = (rt_v128)(((rt_##T){0} - 1) << n);                            \
    return rt_select(mask, rt_shl_##T(a, n), d);                                       \
  }                                                                                    \
  static inline rt_v128 rt_sri_##T(rt_v128 d, rt_v128 a, int n) {                      \
    if (n == bits) return d;                                                           \
    const rt_v128 mask = (rt_v128)(((rt_##T){0} - 1) >> n);                            \
    return rt_select(mask, (rt_v128)((rt_##T)a >> n), d);                              \
  }                                                                                    \
  static inline lane rt_addv_##T(rt_v128 v, int count) {                               \
    lane sum = 0;                                                                      \
    for (int i = 0; i < count; i++) sum = (lane)(sum + ((rt_##T)v)[i]);                \
    return sum;                                                                        \
  }
RT_EACH_U(RT_WRAPPING)

/* Halving adds without a wider type: a + b = (a ^ b) + 2 * (a & b) = 2 * (a | b) - (a ^ b). */
#define RT_ORDERED(T, U, S, lane, bits, lanes)                                                    \
  RT_BINARY(cmgt, T, a > b)                                                                       \
  RT_BINARY(cmge, T, a >= b)                                                                      \
  RT_BINARY(hadd, T, (a & b) + ((a ^ b) >> 1))                                                    \
  RT_BINARY(rhadd, T, (a | b) - ((a ^ b) >> 1))                                                   \
  RT_BINARY(hsub, T, (a >> 1) - (b >> 1) - (~a & b & 1))                                          \
  static inline rt_v128 rt_max_##T(rt_v128 a, rt_v128 b) { return rt_select(rt_cmgt_##T(a, b), a, b); } \
  static inline rt_v128 rt_min_##T(rt_v128 a, rt_v128 b) { return rt_select(rt_cmgt_##T(a, b), b, a); } \
  static inline rt_v128 rt_abd_##T(rt_v128 a, rt_v128 b) {                                        \
    const rt_v128 d = rt_sub_##U(a, b);                                                           \
    return rt_select(rt_cmgt_##T(a, b), d, rt_neg_##U(d));                                        \
  }                                                                                               \
  static inline rt_v128 rt_aba_##T(rt_v128 d, rt_v128 a, rt_v128 b) {                             \
    return rt_add_##U(d, rt_abd_##T(a, b));                                                       \
  }                                                                                               \
  /* 1 <= n <= bits */                                                                            \
  static inline rt_v128 rt_shr_##T(rt_v128 a, int n) {                                            \
    if (n == bits) return (rt_v128)((rt_##T)a < 0);                                               \
    return (rt_v128)((rt_##T)a >> n);                                                             \
  }                                                                                               \
  static inline rt_v128 rt_rshr_##T(rt_v128 a, int n) {                                           \
    return rt_add_##U(rt_shr_##T(a, n), (rt_v128)((rt_##T)a >> (n - 1) & 1));                     \
  }                                                                                               \
  static inline lane rt_maxv_##T(rt_v128 v, int count) {                                          \
    lane best = ((rt_##T)v)[0];                                                                   \
    for (int i = 1; i < count; i++) best = ((rt_##T)v)[i] > best ? ((rt_##T)v)[i] : best;         \
    return best;                                                                                  \
  }                                                                                               \
  static inline lane rt_minv_##T(rt_v128 v, int count) {                                          \
    lane best = ((rt_##T)v)[0];                                                                   \
    for (int i = 1; i < count; i++) best = ((rt_##T)v)[i] < best ? ((rt_##T)v)[i] : best;         \
    return best;                                                                                  \
  }
RT_EACH(RT_ORDERED)

/* Pairs of neighbours, first those of a, then those of b. */
#define RT_PAIRS(T, U, S, lane, bits, lanes)                                   \
  static inline rt_v128 rt_maxp_##T(rt_v128 a, rt_v128 b) {                    \
    return rt_max_##T(rt_uzp1_##U(a, b), rt_uzp2_##U(a, b));                   \
  }                                                                            \
  static inline rt_v128 rt_minp_##T(rt_v128 a, rt_v128 b) {                    \
    return rt_min_##T(rt_uzp1_##U(a, b), rt_uzp2_##U(a, b));                   \
  }
RT_EACH(RT_PAIRS)
#define RT_ADD_PAIRS(T, U, S, lane, bits, lanes)                               \
  static inline rt_v128 rt_addp_##T(rt_v128 a, rt_v128 b) {                    \
    return rt_add_##T(rt_uzp1_##T(a, b), rt_uzp2_##T(a, b));                   \
  }
RT_EACH_U(RT_ADD_PAIRS)

/* Widening pairwise addition, widening sums and products of the low halves. */
#define RT_LONG(T, W, UW, shift)                                                                                   \
  static inline rt_v128 rt_addlp_##T(rt_v128 a) {                                                                  \
    const rt_##W w = (rt_##W)a;                                                                                    \
    return (rt_v128)((rt_##UW)(w >> shift) + (rt_##UW)((rt_##W)((rt_##UW)w << shift) >> shift));                   \
  }                                                                                                                \
  static inline rt_v128 rt_addl_##T(rt_v128 a, rt_v128 b) { return rt_add_##UW(rt_widen_##T(a), rt_widen_##T(b)); } \
  static inline rt_v128 rt_subl_##T(rt_v128 a, rt_v128 b) { return rt_sub_##UW(rt_widen_##T(a), rt_widen_##T(b)); } \
  static inline rt_v128 rt_addw_##T(rt_v128 a, rt_v128 b) { return rt_add_##UW(a, rt_widen_##T(b)); }              \
  static inline rt_v128 rt_subw_##T(rt_v128 a, rt_v128 b) { return rt_sub_##UW(a, rt_widen_##T(b)); }              \
  static inline rt_v128 rt_mull_##T(rt_v128 a, rt_v128 b) { return rt_mul_##UW(rt_widen_##T(a), rt_widen_##T(b)); } \
  static inline rt_v128 rt_abdl_##T(rt_v128 a, rt_v128 b) { return rt_abd_##W(rt_widen_##T(a), rt_widen_##T(b)); }
RT_LONG(u8x16, u16x8, u16x8, 8)
RT_LONG(s8x16, s16x8, u16x8, 8)
RT_LONG(u16x8, u32x4, u32x4, 16)
RT_LONG(s16x8, s32x4, u32x4, 16)
RT_LONG(u32x4, u64x2, u64x2, 32)
RT_LONG(s32x4, s64x2, u64x2, 32)

/* --- bits */

static inline rt_v128 rt_not(rt_v128 a) { return ~a; }
#define RT_ABS(T, U, S, lane, bits, lanes)                                                           \
  static inline rt_v128 rt_abs_##T(rt_v128 a) { return rt_select(rt_shr_##T(a, bits), rt_neg_##U(a), a); }
RT_EACH_S(RT_ABS)

static inline rt_v128 rt_cnt(rt_v128 v) {
  rt_u8x16 a = (rt_u8x16)v;
  a = a - (a >> 1 & 0x55);
  a = (a & 0x33) + (a >> 2 & 0x33);
  return (rt_v128)((a + (a >> 4)) & 0x0f);
}
static inline rt_v128 rt_rbit(rt_v128 v) {
  rt_u8x16 a = (rt_u8x16)v;
  a = (a >> 1 & 0x55) | (a & 0x55) << 1;
  a = (a >> 2 & 0x33) | (a & 0x33) << 2;
  return (rt_v128)(a >> 4 | a << 4);
}
#define RT_LEADING(T, U, S, lane, bits, lanes)                                                        \
  static inline rt_v128 rt_clz_##T(rt_v128 v) {                                                       \
    rt_##T a = (rt_##T)v;                                                                             \
    for (int i = 0; i < lanes; i++) a[i] = a[i] ? (lane)(__builtin_clz(a[i]) - (32 - bits)) : bits;   \
    return (rt_v128)a;                                                                                \
  }                                                                                                   \
  static inline rt_v128 rt_cls_##T(rt_v128 v) {                                                       \
    const rt_v128 same = v ^ rt_shr_##S(v, bits);                                                     \
    return rt_sub_##T(rt_clz_##T(same), rt_dup_##T(1));                                               \
  }
RT_U8(RT_LEADING)
RT_U16(RT_LEADING)
RT_U32(RT_LEADING)

/* Products of polynomials over {0, 1}. */
static inline rt_v128 rt_pmul_u8x16(rt_v128 va, rt_v128 vb) {
  const rt_u8x16 a = (rt_u8x16)va, b = (rt_u8x16)vb;
  rt_u8x16 r = {0};
  for (int i = 0; i < 8; i++) r ^= (a << i) & (rt_u8x16)((b >> i & 1) != 0);
  return (rt_v128)r;
}
static inline rt_v128 rt_pmull_u8x16(rt_v128 va, rt_v128 vb) {
  const rt_u16x8 a = (rt_u16x8)rt_widen_u8x16(va), b = (rt_u16x8)rt_widen_u8x16(vb);
  rt_u16x8 r = {0};
  for (int i = 0; i < 8; i++) r ^= (a << i) & (rt_u16x8)((b >> i & 1) != 0);
  return (rt_v128)r;
}

#define RT_DOT(T)                                                                 \
  static inline rt_v128 rt_dot_##T(rt_v128 d, rt_v128 a, rt_v128 b) {                     \
    rt_u32x4 r = (rt_u32x4)d;                                                             \
    for (int i = 0; i < 16; i++) r[i / 4] += (uint32_t)(((rt_##T)a)[i] * ((rt_##T)b)[i]); \
    return (rt_v128)r;                                                                    \
  }
RT_DOT(u8x16)
RT_DOT(s8x16)

#include "rt_simd_struct.h"
#include "rt_simd_sat.h"
#include "rt_simd_fp.h"

#endif
