/* A compressor of the LZ77 family and its reverse, over text that is built from earlier text. */
#include <string.h>

#include "kernel.h"

enum { LENGTH = 20000, SLOTS = 4096, SHORTEST = 4 };

static uint8_t plain[LENGTH], packed[LENGTH * 2], again[LENGTH];

static void write_text(uint64_t *seed)
{
    for (int at = 0; at < LENGTH;) {
        uint64_t r = next_random(seed);
        int count = (int)(r >> 8 & 31) + 1;
        int from = at > 200 && (r & 3) ? (int)((r >> 20) % (uint64_t)(at - 100)) : -1;
        for (; count > 0 && at < LENGTH; count--, at++) plain[at] = from >= 0 ? plain[from++] : (uint8_t)(32 + next_random(seed) % 90);
    }
}

static unsigned slot_of(const uint8_t *p)
{
    uint32_t word;
    memcpy(&word, p, 4);
    return word * 2654435761u >> 20;
}

/* Packed: count of literals, the literals, length of the copy, two bytes of its distance; and again. */
static int put(int out, int start, int literals, int match, int distance)
{
    packed[out++] = (uint8_t)literals;
    memcpy(packed + out, plain + start, (size_t)literals);
    out += literals;
    packed[out++] = (uint8_t)match;
    packed[out++] = (uint8_t)distance;
    packed[out++] = (uint8_t)(distance >> 8);
    return out;
}

static int compress(void)
{
    static int last[SLOTS];
    int out = 0, start = 0, at = 0;
    for (int i = 0; i < SLOTS; i++) last[i] = -1;
    while (at < LENGTH) {
        int match = 0, from = -1;
        if (at + SHORTEST <= LENGTH) {
            unsigned slot = slot_of(plain + at);
            from = last[slot];
            last[slot] = at;
            while (from >= 0 && at + match < LENGTH && match < 255 && plain[from + match] == plain[at + match]) match++;
        }
        if (match >= SHORTEST) {
            out = put(out, start, at - start, match, at - from);
            start = at += match;
        } else if (++at - start == 255) {
            out = put(out, start, 255, 0, 0);
            start = at;
        }
    }
    return put(out, start, at - start, 0, 0);
}

static int expand(int size)
{
    int at = 0;
    for (int in = 0; in < size;) {
        int literals = packed[in++];
        memcpy(again + at, packed + in, (size_t)literals);
        at += literals, in += literals;
        int match = packed[in], distance = packed[in + 1] | packed[in + 2] << 8;
        in += 3;
        for (int i = 0; i < match; i++, at++) again[at] = again[at - distance];
    }
    return at;
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    uint64_t hash = 0;
    for (uint64_t round = 0; round < size; round++) {
        write_text(&seed);
        int length = compress();
        if (expand(length) != LENGTH || memcmp(plain, again, LENGTH) != 0) abort();
        hash = fold(hash, (uint64_t)length);
        for (int i = 0; i < length; i += 61) hash = fold(hash, packed[i]);
    }
    return hash;
}
