#include "crc32.h"

#include <pthread.h>

/* table[k][b]: the effect of byte b followed by k zero bytes, so that eight bytes go in one step. */
static uint32_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void) {
  for (uint32_t b = 0; b < 256; b++) {
    uint32_t c = b;
    for (int i = 0; i < 8; i++) c = c >> 1 ^ (c & 1 ? UINT32_C(0xedb88320) : 0);
    table[0][b] = c;
  }
  for (int k = 1; k < 8; k++)
    for (int b = 0; b < 256; b++) table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xff];
}

static uint32_t step8(uint32_t c, const uint8_t *p) {
  c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
  return table[7][c & 0xff] ^ table[6][c >> 8 & 0xff] ^ table[5][c >> 16 & 0xff] ^ table[4][c >> 24] ^ table[3][p[4]] ^
         table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
}

uint32_t rt_crc32(uint32_t sum, const void *bytes, size_t size) {
  pthread_once(&once, fill);
  const uint8_t *p = bytes;
  uint32_t c = ~sum;
  for (; size >= 8; size -= 8, p += 8) c = step8(c, p);
  for (; size > 0; size--) c = c >> 8 ^ table[0][(c ^ *p++) & 0xff];
  return ~c;
}
