/* A block is a list of sequences: a token (4 bits literal count, 4 bits match length - 4), longer counts in further
 * bytes of 255, the literals, and the match's distance back (16 bits). The last five bytes are literals, and no match
 * starts in the last twelve. */
#include "lz4.h"

#include <string.h>

#define HASH_BITS 13
#define MIN_MATCH 4
#define LAST_LITERALS 5
#define NO_MATCH_TAIL 12
#define MAX_DISTANCE 65535

static uint32_t last_seen[1u << HASH_BITS]; /* position + 1 of the last four bytes with that hash */

size_t rt_lz4_bound(size_t size) { return size + size / 255 + 16; }

static uint32_t read32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}

static uint64_t read64(const uint8_t *p) {
  uint64_t v;
  memcpy(&v, p, 8);
  return v;
}

static uint32_t hash(uint32_t four) { return four * UINT32_C(2654435761) >> (32 - HASH_BITS); }

static uint8_t *put_count(uint8_t *to, size_t count) {
  for (; count >= 255; count -= 255) *to++ = 255;
  *to++ = (uint8_t)count;
  return to;
}

static uint8_t *put_literals(uint8_t *to, const uint8_t *from, size_t count, unsigned match_bits) {
  *to++ = (uint8_t)((count < 15 ? count : 15) << 4 | match_bits);
  if (count >= 15) to = put_count(to, count - 15);
  memcpy(to, from, count);
  return to + count;
}

static uint8_t *put_sequence(uint8_t *to, const uint8_t *literals, size_t count, size_t distance, size_t length) {
  size_t more = length - MIN_MATCH;
  to = put_literals(to, literals, count, more < 15 ? (unsigned)more : 15);
  *to++ = (uint8_t)distance;
  *to++ = (uint8_t)(distance >> 8);
  return more >= 15 ? put_count(to, more - 15) : to;
}

/* How many bytes are equal at a and b, a before `end`. */
static size_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end) {
  const uint8_t *start = a;
  while (a + 8 <= end) {
    if (read64(a) != read64(b)) break;
    a += 8;
    b += 8;
  }
  while (a < end && *a == *b) a++, b++;
  return (size_t)(a - start);
}

size_t rt_lz4_pack(uint8_t *to, const uint8_t *from, size_t size) {
  const uint8_t *start = to, *end = from + size, *literals = from;
  memset(last_seen, 0, sizeof last_seen);
  unsigned misses = 0;
  for (const uint8_t *p = from; size > NO_MATCH_TAIL && p < end - NO_MATCH_TAIL;) {
    uint32_t *slot = &last_seen[hash(read32(p))];
    const uint8_t *seen = from + *slot - 1;
    uint32_t known = *slot;
    *slot = (uint32_t)(p - from) + 1;
    if (!known || p - seen > MAX_DISTANCE || read32(seen) != read32(p)) {
      p += 1 + (misses++ >> 6); /* hurry through what does not pack */
      continue;
    }
    misses = 0;
    while (p > literals && seen > from && p[-1] == seen[-1]) p--, seen--;
    size_t length = MIN_MATCH + match_length(p + MIN_MATCH, seen + MIN_MATCH, end - LAST_LITERALS);
    to = put_sequence(to, literals, (size_t)(p - literals), (size_t)(p - seen), length);
    p += length;
    literals = p;
  }
  return (size_t)(put_literals(to, literals, (size_t)(end - literals), 0) - start);
}
