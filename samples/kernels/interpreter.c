/* A small virtual machine that runs generated programs: one switch, unpredictable branches. */
#include "kernel.h"

enum op { PUSH, ADD, SUBTRACT, MULTIPLY, XOR, SHIFT, DUPLICATE, SWAP, LOAD, STORE, SKIP_ODD, REPEAT, STOP, OPS };
enum { LENGTH = 96, STACK = 32 };

struct word {
    uint8_t op;
    uint32_t value;
};

static void write_program(struct word *program, uint64_t *seed)
{
    for (int i = 0; i < LENGTH - 1; i++) {
        uint64_t r = next_random(seed);
        program[i] = (struct word){(uint8_t)(r % STOP), (uint32_t)(r >> 32)};
    }
    program[LENGTH - 1].op = STOP;
}

/* The stack is a ring, so that every program is a valid one. */
static uint64_t run(const struct word *program, uint64_t *memory, uint64_t argument)
{
    uint64_t stack[STACK] = {argument};
    unsigned top = 0;
    int at = 0, repeats = 40;
#define TOP stack[top % STACK]
#define BELOW stack[(top - 1) % STACK]
    for (;;) {
        const struct word *w = &program[at++];
        switch ((enum op)w->op) {
        case PUSH: top++, TOP = w->value; break;
        case ADD: BELOW += TOP, top--; break;
        case SUBTRACT: BELOW -= TOP, top--; break;
        case MULTIPLY: BELOW *= TOP | 1, top--; break;
        case XOR: BELOW ^= TOP, top--; break;
        case SHIFT: TOP = TOP >> (w->value & 15) | TOP << 48; break;
        case DUPLICATE: top++, TOP = BELOW; break;
        case SWAP: {
            uint64_t t = TOP;
            TOP = BELOW;
            BELOW = t;
            break;
        }
        case LOAD: TOP += memory[(TOP ^ w->value) & 255]; break;
        case STORE: memory[w->value & 255] = TOP; break;
        case SKIP_ODD: at += TOP & 1 && at < LENGTH - 1; break;
        case REPEAT:
            if (repeats > 0 && (TOP & 3) != 0) {
                repeats--;
                at -= (int)(w->value % (unsigned)at);
            }
            break;
        case STOP: return TOP;
        case OPS: return 0;
        }
    }
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    struct word program[LENGTH];
    static uint64_t memory[256];
    uint64_t hash = 0;
    for (uint64_t i = 0; i < size; i++) {
        if (i % 64 == 0) write_program(program, &seed);
        hash = fold(hash, run(program, memory, hash));
    }
    return hash;
}
