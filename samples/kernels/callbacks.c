/* The C library's qsort and bsearch, which call back into the program. */
#include <string.h>

#include "kernel.h"

struct row {
    uint32_t key;
    uint16_t group;
    char name[10];
};

static int by_key(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    return a->key < b->key ? -1 : a->key > b->key;
}

static int by_name(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : by_key(left, right);
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    enum { ROWS = 3000 };
    struct row *rows = must(malloc(ROWS * sizeof *rows));
    uint64_t hash = 0;
    for (uint64_t round = 0; round < size; round++) {
        for (int i = 0; i < ROWS; i++) {
            uint64_t r = next_random(&seed);
            rows[i] = (struct row){(uint32_t)r, (uint16_t)(r >> 32), ""};
            for (int k = 0; k < 9; k++, r >>= 5) rows[i].name[k] = (char)('a' + (r & 15));
        }
        qsort(rows, ROWS, sizeof *rows, by_name);
        hash = fold(hash, rows[ROWS / 2].key);
        qsort(rows, ROWS, sizeof *rows, by_key);
        for (int i = 0; i < 500; i++) {
            struct row wanted = {.key = (uint32_t)next_random(&seed)};
            if (i & 1) wanted.key = rows[wanted.key % ROWS].key;
            const struct row *found = bsearch(&wanted, rows, ROWS, sizeof *rows, by_key);
            hash = fold(hash, found ? found->group : 1);
        }
    }
    free(rows);
    return hash;
}
