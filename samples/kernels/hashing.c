/* Hashes of bytes: SHA-256, a table-driven CRC-32, and FNV-1a. */
#include <string.h>

#include "kernel.h"

enum { BLOCK = 2048 };

static uint32_t crc_table[256], round_constants[64];

static uint32_t turn(uint32_t x, int by) { return x >> by | x << (32 - by); }

/* SHA-256's constants are the first bits of cube roots of primes; found here by bisection in integers. */
static uint32_t cube_root_bits(uint32_t prime)
{
    uint64_t low = 0, high = UINT64_C(7) << 32; /* root * 2^32 */
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        unsigned __int128 square = (unsigned __int128)middle * middle >> 32;
        if (square * middle >> 64 < prime) low = middle;
        else high = middle;
    }
    return (uint32_t)low;
}

static void make_tables(void)
{
    int count = 0;
    for (uint32_t n = 2; count < 64; n++) {
        int is_prime = 1;
        for (uint32_t d = 2; d * d <= n; d++) is_prime &= n % d != 0;
        if (is_prime) round_constants[count++] = cube_root_bits(n);
    }
    for (uint32_t i = 0; i < 256; i++) {
        crc_table[i] = i;
        for (int bit = 0; bit < 8; bit++) crc_table[i] = crc_table[i] >> 1 ^ (crc_table[i] & 1 ? 0xedb88320u : 0);
    }
}

static void sha_block(uint32_t state[8], const uint8_t *bytes)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++, bytes += 4)
        w[i] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t b = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t choose = (s[4] & s[5]) ^ (~s[4] & s[6]), most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t one = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + choose + round_constants[i] + w[i];
        uint32_t two = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + most;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    static uint8_t data[BLOCK];
    uint32_t state[8] = {1, 2, 3, 4, 5, 6, 7, 8}, crc = ~0u;
    uint64_t hash = 0;
    make_tables();
    for (int i = 0; i < BLOCK; i++) data[i] = (uint8_t)next_random(&seed);
    for (uint64_t round = 0; round < size; round++) {
        uint64_t r = next_random(&seed);
        memcpy(data + (r & 0x7f8), &r, 8);
        for (int i = 0; i < BLOCK; i += 64) sha_block(state, data + i);
        for (int i = 0; i < BLOCK; i++) crc = crc_table[(crc ^ data[i]) & 255] ^ crc >> 8;
        for (int i = 0; i < BLOCK; i++) hash = fold(hash, data[i]);
        hash ^= (uint64_t)state[0] << 32 | crc;
    }
    return hash;
}
