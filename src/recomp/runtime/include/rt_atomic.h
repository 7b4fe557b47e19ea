/* Exclusives and atomics of emitted code. Included by rt.h. */
#ifndef RT_ATOMIC_H
#define RT_ATOMIC_H

typedef unsigned __int128 rt_u128;

/* Guest memory as an atomic object. The guest must align it, as Arm asks for. */
#define RT_AT(bits, m, addr) ((rt_a##bits *)((m) + (uint32_t)(addr)))
typedef uint8_t __attribute__((may_alias)) rt_a8;
typedef uint16_t __attribute__((may_alias)) rt_a16;
typedef uint32_t __attribute__((may_alias)) rt_a32;
typedef uint64_t __attribute__((may_alias)) rt_a64;
typedef rt_u128 __attribute__((may_alias)) rt_a128;

#define RT_FETCH(bits, type, name, operation)                                  \
  static inline type rt_##name##bits(uint8_t *m, uint64_t addr, type value) {  \
    return operation(RT_AT(bits, m, addr), value, __ATOMIC_SEQ_CST);           \
  }

/* The larger or smaller of what is there and `value`, compared as `as`; returns what was there. */
#define RT_FETCH_IF(bits, type, name, as, relation)                                                           \
  static inline type rt_##name##bits(uint8_t *m, uint64_t addr, type value) {                                 \
    rt_a##bits *at = RT_AT(bits, m, addr);                                                                    \
    type old = __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                         \
    while (!__atomic_compare_exchange_n(at, &old, (as)value relation(as) old ? value : old, 0,                \
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {                                \
    }                                                                                                         \
    return old;                                                                                               \
  }

#define RT_ATOMICS(bits, type, stype)                                                                         \
  static inline type rt_ldar##bits(uint8_t *m, uint64_t addr) {                                               \
    return __atomic_load_n(RT_AT(bits, m, addr), __ATOMIC_SEQ_CST);                                           \
  }                                                                                                           \
  static inline void rt_stlr##bits(uint8_t *m, uint64_t addr, type value) {                                   \
    __atomic_store_n(RT_AT(bits, m, addr), value, __ATOMIC_SEQ_CST);                                          \
  }                                                                                                           \
  static inline type rt_cas##bits(uint8_t *m, uint64_t addr, type expected, type desired) {                   \
    __atomic_compare_exchange_n(RT_AT(bits, m, addr), &expected, desired, 0, __ATOMIC_SEQ_CST,                \
                                __ATOMIC_SEQ_CST);                                                            \
    return expected;                                                                                          \
  }                                                                                                           \
  static inline type rt_ldxr##bits(rt_cpu *c, uint8_t *m, uint64_t addr) {                                    \
    type value = rt_ldar##bits(m, addr);                                                                      \
    c->monitor_addr = addr;                                                                                   \
    c->monitor_value[0] = value;                                                                              \
    return value;                                                                                             \
  }                                                                                                           \
  /* 0 = stored, 1 = the monitor was lost */                                                                  \
  static inline uint32_t rt_stxr##bits(rt_cpu *c, uint8_t *m, uint64_t addr, type value) {                    \
    type seen = (type)c->monitor_value[0];                                                                    \
    int lost = c->monitor_addr != addr;                                                                       \
    c->monitor_addr = ~UINT64_C(0);                                                                           \
    return lost || rt_cas##bits(m, addr, seen, value) != seen;                                                \
  }                                                                                                           \
  RT_FETCH(bits, type, swp, __atomic_exchange_n)                                                              \
  RT_FETCH(bits, type, ldadd, __atomic_fetch_add)                                                             \
  RT_FETCH(bits, type, ldeor, __atomic_fetch_xor)                                                             \
  RT_FETCH(bits, type, ldset, __atomic_fetch_or)                                                              \
  static inline type rt_ldclr##bits(uint8_t *m, uint64_t addr, type value) {                                  \
    return __atomic_fetch_and(RT_AT(bits, m, addr), (type)~value, __ATOMIC_SEQ_CST);                          \
  }                                                                                                           \
  RT_FETCH_IF(bits, type, ldsmax, stype, >)                                                                   \
  RT_FETCH_IF(bits, type, ldsmin, stype, <)                                                                   \
  RT_FETCH_IF(bits, type, ldumax, type, >)                                                                    \
  RT_FETCH_IF(bits, type, ldumin, type, <)

RT_ATOMICS(8, uint8_t, int8_t)
RT_ATOMICS(16, uint16_t, int16_t)
RT_ATOMICS(32, uint32_t, int32_t)
RT_ATOMICS(64, uint64_t, int64_t)
#undef RT_ATOMICS
#undef RT_FETCH_IF
#undef RT_FETCH

static inline rt_u128 rt_u128_of(rt_v128 value) { return (rt_u128)value[1] << 64 | value[0]; }

/* The address is a multiple of 16. */
static inline rt_v128 rt_cas128(uint8_t *m, uint64_t addr, rt_v128 expected, rt_v128 desired) {
#if defined(__x86_64__) && defined(__GNUC__)
  /* Spelt out: compilers make it a library call, which locks where it does not trust the processor to have it. */
  uint64_t low = expected[0], high = expected[1];
  __asm__ volatile("lock cmpxchg16b %2"
                   : "+a"(low), "+d"(high), "+m"(*RT_AT(128, m, addr))
                   : "b"(desired[0]), "c"(desired[1])
                   : "cc", "memory");
  return (rt_v128){low, high};
#else
  rt_u128 old = rt_u128_of(expected);
  __atomic_compare_exchange_n(RT_AT(128, m, addr), &old, rt_u128_of(desired), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return (rt_v128){(uint64_t)old, (uint64_t)(old >> 64)};
#endif
}

/* The two halves need not be of one moment: then the exclusive store fails (DDI 0487, B2.9.5). */
static inline rt_v128 rt_ldxr128(rt_cpu *c, uint8_t *m, uint64_t addr) {
  c->monitor_addr = addr;
  return c->monitor_value = (rt_v128){rt_ldar64(m, addr), rt_ldar64(m, addr + 8)};
}

static inline uint32_t rt_stxr128(rt_cpu *c, uint8_t *m, uint64_t addr, rt_v128 value) {
  int lost = c->monitor_addr != addr;
  c->monitor_addr = ~UINT64_C(0);
  return lost || rt_u128_of(rt_cas128(m, addr, c->monitor_value, value)) != rt_u128_of(c->monitor_value);
}

#endif
