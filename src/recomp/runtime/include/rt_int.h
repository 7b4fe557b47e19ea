/* Integer helpers of emitted code: what does not read well as one C expression. Included by rt.h. */
#ifndef RT_INT_H
#define RT_INT_H

/* Shift amounts are below the width. */
static inline uint32_t rt_ror32(uint32_t value, uint32_t n) { return value >> n | value << (-n & 31); }
static inline uint64_t rt_ror64(uint64_t value, uint64_t n) { return value >> n | value << (-n & 63); }

static inline uint32_t rt_clz32(uint32_t value) { return value ? (uint32_t)__builtin_clz(value) : 32; }
static inline uint32_t rt_clz64(uint64_t value) { return value ? (uint32_t)__builtin_clzll(value) : 64; }

/* Division by zero gives zero; the one overflow wraps. */
static inline uint32_t rt_udiv32(uint32_t a, uint32_t b) { return b ? a / b : 0; }
static inline uint64_t rt_udiv64(uint64_t a, uint64_t b) { return b ? a / b : 0; }
static inline uint32_t rt_sdiv32(uint32_t a, uint32_t b) {
  if (b == 0) return 0;
  return b == UINT32_MAX ? 0 - a : (uint32_t)((int32_t)a / (int32_t)b);
}
static inline uint64_t rt_sdiv64(uint64_t a, uint64_t b) {
  if (b == 0) return 0;
  return b == UINT64_MAX ? 0 - a : (uint64_t)((int64_t)a / (int64_t)b);
}

static inline uint64_t rt_umulh(uint64_t a, uint64_t b) { return (uint64_t)((unsigned __int128)a * b >> 64); }
static inline uint64_t rt_smulh(uint64_t a, uint64_t b) {
  return (uint64_t)((__int128)(int64_t)a * (int64_t)b >> 64);
}

static inline uint64_t rt_rbit64(uint64_t value) {
  value = (value >> 1 & UINT64_C(0x5555555555555555)) | (value & UINT64_C(0x5555555555555555)) << 1;
  value = (value >> 2 & UINT64_C(0x3333333333333333)) | (value & UINT64_C(0x3333333333333333)) << 2;
  value = (value >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (value & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
  return __builtin_bswap64(value);
}
static inline uint32_t rt_rbit32(uint32_t value) { return (uint32_t)(rt_rbit64(value) >> 32); }

/* CRC-32 of `count` bytes of `value`, reflected; half a byte a step. */
static inline uint32_t rt_crc_step(uint32_t crc, uint64_t value, int count, const uint32_t table[16]) {
  for (int n = 0; n < 2 * count; n++) {
    crc = crc >> 4 ^ table[(crc ^ value) & 15];
    value >>= 4;
  }
  return crc;
}

static inline uint32_t rt_crc32(uint32_t crc, uint64_t value, int count) {
  static const uint32_t table[16] = {
      0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
  };
  return rt_crc_step(crc, value, count, table);
}

static inline uint32_t rt_crc32c(uint32_t crc, uint64_t value, int count) {
  static const uint32_t table[16] = {
      0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
      0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
  };
  return rt_crc_step(crc, value, count, table);
}

#endif
