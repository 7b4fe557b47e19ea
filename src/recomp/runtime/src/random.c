#define _GNU_SOURCE
#include "random.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "options.h"

/* SplitMix64 (Steele, Lea, Flood 2014): a counter through a mixer. For equal runs, not for secrets. */
static uint64_t next(void) {
  static uint64_t count;
  uint64_t z = rt_opt.seed + ++count * UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

void rt_random_fill(void *to, size_t size) {
  uint8_t *at = to;
  while (size > 0) {
    size_t n = size < 8 ? size : 8;
    uint64_t value;
    if (!rt_opt.realtime || getrandom(&value, sizeof value, 0) != sizeof value) value = next();
    memcpy(at, &value, n);
    at += n;
    size -= n;
  }
}
