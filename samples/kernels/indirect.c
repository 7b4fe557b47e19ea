/* Calls through pointers: a table of small operations, and objects with methods, in an order that is not known. */
#include "kernel.h"

struct shape;
struct methods {
    uint64_t (*area)(const struct shape *);
    void (*grow)(struct shape *, uint32_t);
};
struct shape {
    const struct methods *methods;
    uint32_t a, b;
};

static uint64_t box_area(const struct shape *s) { return (uint64_t)s->a * s->b; }
static uint64_t disc_area(const struct shape *s) { return (uint64_t)s->a * s->a * 355 / 113; }
static uint64_t wedge_area(const struct shape *s) { return (uint64_t)s->a * s->b / 2; }
static void grow_both(struct shape *s, uint32_t by) { s->a += by, s->b ^= by; }
static void grow_one(struct shape *s, uint32_t by) { s->a = s->a * 3 + by; }

static const struct methods kinds[3] = {{box_area, grow_both}, {disc_area, grow_one}, {wedge_area, grow_both}};

static uint64_t op_add(uint64_t a, uint64_t b) { return a + b; }
static uint64_t op_xor(uint64_t a, uint64_t b) { return a ^ b; }
static uint64_t op_multiply(uint64_t a, uint64_t b) { return a * (b | 1); }
static uint64_t op_turn(uint64_t a, uint64_t b) { return a >> (b & 31) | a << (64 - (b & 31)) % 64; }
static uint64_t op_less(uint64_t a, uint64_t b) { return a < b ? b - a : a; }
static uint64_t (*const operations[])(uint64_t, uint64_t) = {op_add, op_xor, op_multiply, op_turn, op_less};

uint64_t kernel(uint64_t size, uint64_t seed)
{
    struct shape shapes[64];
    uint64_t hash = 0;
    for (int i = 0; i < 64; i++) {
        uint64_t r = next_random(&seed);
        shapes[i] = (struct shape){&kinds[r % 3], (uint32_t)(r >> 20 & 0xffff), (uint32_t)(r >> 40 & 0xffff)};
    }
    for (uint64_t i = 0; i < size; i++) {
        uint64_t r = next_random(&seed);
        struct shape *s = &shapes[r >> 58];
        s->methods->grow(s, (uint32_t)r & 0xff);
        hash = operations[(r >> 32) % 5](hash, s->methods->area(s));
        hash = operations[(r >> 40) % 5](hash, r);
    }
    return hash;
}
