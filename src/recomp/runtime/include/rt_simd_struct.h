/* Structures in memory (LD2..LD4, ST2..ST4): loaded whole, then taken apart by shuffles. Included by rt_simd.h.
 *
 * `bytes` = 8 or 16 times the number of registers; of 64-bit registers only the low halves come about, zeros above.
 */
#ifndef RT_SIMD_STRUCT_H
#define RT_SIMD_STRUCT_H

static inline rt_v4 rt_load_bytes(const uint8_t *m, uint64_t addr, int bytes) {
  rt_v4 r = {{{0}}};
  for (int k = 0; k < bytes / 16; k++) r.v[k] = rt_ld128(m, addr + 16 * (unsigned)k);
  if (bytes & 8) r.v[bytes / 16] = rt_u64_v(rt_ld64(m, addr + (unsigned)bytes - 8));
  return r;
}
static inline void rt_store_bytes(uint8_t *m, uint64_t addr, int bytes, rt_v4 s) {
  for (int k = 0; k < bytes / 16; k++) rt_st128(m, addr + 16 * (unsigned)k, s.v[k]);
  if (bytes & 8) rt_st64(m, addr + (unsigned)bytes - 8, s.v[bytes / 16][0]);
}

/* Lanes 3 * i + k of three registers: part3_k of the first two, rest3_k fills in the third; mix3 and fill3 back. */
RT_SHUFFLE2(part3_0, u8x16, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0)
RT_SHUFFLE2(rest3_0, u8x16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29)
RT_SHUFFLE2(part3_1, u8x16, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0)
RT_SHUFFLE2(rest3_1, u8x16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30)
RT_SHUFFLE2(part3_2, u8x16, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0)
RT_SHUFFLE2(rest3_2, u8x16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31)
RT_SHUFFLE2(mix3_0, u8x16, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5)
RT_SHUFFLE2(fill3_0, u8x16, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15)
RT_SHUFFLE2(mix3_1, u8x16, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26)
RT_SHUFFLE2(fill3_1, u8x16, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15)
RT_SHUFFLE2(mix3_2, u8x16, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0)
RT_SHUFFLE2(fill3_2, u8x16, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31)
RT_SHUFFLE2(part3_0, u16x8, 0, 3, 6, 9, 12, 15, 0, 0)
RT_SHUFFLE2(rest3_0, u16x8, 0, 1, 2, 3, 4, 5, 10, 13)
RT_SHUFFLE2(part3_1, u16x8, 1, 4, 7, 10, 13, 0, 0, 0)
RT_SHUFFLE2(rest3_1, u16x8, 0, 1, 2, 3, 4, 8, 11, 14)
RT_SHUFFLE2(part3_2, u16x8, 2, 5, 8, 11, 14, 0, 0, 0)
RT_SHUFFLE2(rest3_2, u16x8, 0, 1, 2, 3, 4, 9, 12, 15)
RT_SHUFFLE2(mix3_0, u16x8, 0, 8, 0, 1, 9, 0, 2, 10)
RT_SHUFFLE2(fill3_0, u16x8, 0, 1, 8, 3, 4, 9, 6, 7)
RT_SHUFFLE2(mix3_1, u16x8, 0, 3, 11, 0, 4, 12, 0, 5)
RT_SHUFFLE2(fill3_1, u16x8, 10, 1, 2, 11, 4, 5, 12, 7)
RT_SHUFFLE2(mix3_2, u16x8, 13, 0, 6, 14, 0, 7, 15, 0)
RT_SHUFFLE2(fill3_2, u16x8, 0, 13, 2, 3, 14, 5, 6, 15)
RT_SHUFFLE2(part3_0, u32x4, 0, 3, 6, 0)
RT_SHUFFLE2(rest3_0, u32x4, 0, 1, 2, 5)
RT_SHUFFLE2(part3_1, u32x4, 1, 4, 7, 0)
RT_SHUFFLE2(rest3_1, u32x4, 0, 1, 2, 6)
RT_SHUFFLE2(part3_2, u32x4, 2, 5, 0, 0)
RT_SHUFFLE2(rest3_2, u32x4, 0, 1, 4, 7)
RT_SHUFFLE2(mix3_0, u32x4, 0, 4, 0, 1)
RT_SHUFFLE2(fill3_0, u32x4, 0, 1, 4, 3)
RT_SHUFFLE2(mix3_1, u32x4, 5, 0, 2, 6)
RT_SHUFFLE2(fill3_1, u32x4, 0, 5, 2, 3)
RT_SHUFFLE2(mix3_2, u32x4, 0, 3, 7, 0)
RT_SHUFFLE2(fill3_2, u32x4, 6, 1, 2, 7)
RT_SHUFFLE2(part3_0, u64x2, 0, 3)
RT_SHUFFLE2(rest3_0, u64x2, 0, 1)
RT_SHUFFLE2(part3_1, u64x2, 1, 0)
RT_SHUFFLE2(rest3_1, u64x2, 0, 2)
RT_SHUFFLE2(part3_2, u64x2, 2, 0)
RT_SHUFFLE2(rest3_2, u64x2, 0, 3)
RT_SHUFFLE2(mix3_0, u64x2, 0, 2)
RT_SHUFFLE2(fill3_0, u64x2, 0, 1)
RT_SHUFFLE2(mix3_1, u64x2, 0, 1)
RT_SHUFFLE2(fill3_1, u64x2, 2, 1)
RT_SHUFFLE2(mix3_2, u64x2, 3, 0)
RT_SHUFFLE2(fill3_2, u64x2, 0, 3)

#define RT_STRUCTURES(T, U, S, lane, bits, lanes)                                                       \
  static inline rt_v4 rt_ld2_##T(const uint8_t *m, uint64_t addr, int bytes) {                          \
    const rt_v4 a = rt_load_bytes(m, addr, bytes);                                                      \
    return (rt_v4){{rt_uzp1_##T(a.v[0], a.v[1]), rt_uzp2_##T(a.v[0], a.v[1])}};                         \
  }                                                                                                     \
  static inline rt_v4 rt_ld3_##T(const uint8_t *m, uint64_t addr, int bytes) {                          \
    const rt_v4 a = rt_load_bytes(m, addr, bytes);                                                      \
    return (rt_v4){{rt_rest3_0_##T(rt_part3_0_##T(a.v[0], a.v[1]), a.v[2]),                              \
                    rt_rest3_1_##T(rt_part3_1_##T(a.v[0], a.v[1]), a.v[2]),                              \
                    rt_rest3_2_##T(rt_part3_2_##T(a.v[0], a.v[1]), a.v[2])}};                            \
  }                                                                                                     \
  static inline rt_v4 rt_ld4_##T(const uint8_t *m, uint64_t addr, int bytes) {                          \
    const rt_v4 a = rt_load_bytes(m, addr, bytes);                                                      \
    const rt_v128 even0 = rt_uzp1_##T(a.v[0], a.v[1]), even1 = rt_uzp1_##T(a.v[2], a.v[3]);             \
    const rt_v128 odd0 = rt_uzp2_##T(a.v[0], a.v[1]), odd1 = rt_uzp2_##T(a.v[2], a.v[3]);               \
    return (rt_v4){{rt_uzp1_##T(even0, even1), rt_uzp1_##T(odd0, odd1), rt_uzp2_##T(even0, even1),       \
                    rt_uzp2_##T(odd0, odd1)}};                                                          \
  }                                                                                                     \
  static inline void rt_st2_##T(uint8_t *m, uint64_t addr, int bytes, rt_v4 s) {                        \
    rt_store_bytes(m, addr, bytes, (rt_v4){{rt_zip1_##T(s.v[0], s.v[1]), rt_zip2_##T(s.v[0], s.v[1])}}); \
  }                                                                                                     \
  static inline void rt_st3_##T(uint8_t *m, uint64_t addr, int bytes, rt_v4 s) {                        \
    rt_store_bytes(m, addr, bytes,                                                                      \
                   (rt_v4){{rt_fill3_0_##T(rt_mix3_0_##T(s.v[0], s.v[1]), s.v[2]),                       \
                            rt_fill3_1_##T(rt_mix3_1_##T(s.v[0], s.v[1]), s.v[2]),                       \
                            rt_fill3_2_##T(rt_mix3_2_##T(s.v[0], s.v[1]), s.v[2])}});                    \
  }                                                                                                     \
  static inline void rt_st4_##T(uint8_t *m, uint64_t addr, int bytes, rt_v4 s) {                        \
    const rt_v128 low02 = rt_zip1_##T(s.v[0], s.v[2]), low13 = rt_zip1_##T(s.v[1], s.v[3]);             \
    const rt_v128 high02 = rt_zip2_##T(s.v[0], s.v[2]), high13 = rt_zip2_##T(s.v[1], s.v[3]);           \
    rt_store_bytes(m, addr, bytes,                                                                      \
                   (rt_v4){{rt_zip1_##T(low02, low13), rt_zip2_##T(low02, low13), rt_zip1_##T(high02, high13), \
                            rt_zip2_##T(high02, high13)}});                                             \
  }
RT_EACH_U(RT_STRUCTURES)

#endif
