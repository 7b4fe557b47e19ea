/* malloc over the loader's heap: one list of blocks in the order of their addresses; the first that fits is taken,
 * neighbours that are free are joined. */
#include <nx/process.h>
#include <nx/thread.h>
#include <stdlib.h>
#include <string.h>

struct block {
    size_t size; /* of the bytes after this header */
    struct block *next;
    bool used;
    uint8_t pad[15];
};

enum { HEADER = 32, UNIT = 32 };
_Static_assert(sizeof(struct block) == HEADER, "blocks keep the alignment of what they hold");

static struct nx_mutex lock;
static struct block *first;

static void *bytes_of(struct block *b)
{
    return (char *)b + HEADER;
}

static void start(void)
{
    first = nx_environment.heap;
    *first = (struct block){.size = nx_environment.heap_size - HEADER};
}

/* Cuts what lies beyond `size` bytes off into a free block of its own. */
static void split(struct block *b, size_t size)
{
    if (b->size < size + HEADER + UNIT) return;
    struct block *rest = (struct block *)((char *)bytes_of(b) + size);
    *rest = (struct block){.size = b->size - size - HEADER, .next = b->next};
    b->size = size;
    b->next = rest;
}

/* Where in the block an aligned address lies that leaves no room or room for a block before it. */
static size_t gap_for(struct block *b, size_t alignment)
{
    uintptr_t at = (uintptr_t)bytes_of(b), aligned = (at + alignment - 1) & ~(alignment - 1);
    while (aligned != at && aligned - at < HEADER + UNIT) aligned += alignment;
    return aligned - at;
}

static void *take(size_t size, size_t alignment)
{
    for (struct block *b = first; b; b = b->next) {
        if (b->used) continue;
        size_t gap = gap_for(b, alignment);
        if (b->size < gap || b->size - gap < size) continue;
        if (gap) {
            split(b, gap - HEADER);
            b = b->next;
        }
        split(b, size);
        b->used = true;
        return bytes_of(b);
    }
    return NULL;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (alignment < UNIT) alignment = UNIT;
    if (size > nx_environment.heap_size) return NULL;
    size = (size + UNIT - 1) & ~(size_t)(UNIT - 1);
    nx_lock(&lock);
    if (!first) start();
    void *found = take(size ? size : UNIT, alignment);
    nx_unlock(&lock);
    return found;
}

void *malloc(size_t size)
{
    return aligned_alloc(UNIT, size);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    void *found = malloc(bytes);
    return found ? memset(found, 0, bytes) : NULL;
}

void free(void *bytes)
{
    if (!bytes) return;
    nx_lock(&lock);
    ((struct block *)((char *)bytes - HEADER))->used = false;
    for (struct block *b = first; b; b = b->next)
        while (!b->used && b->next && !b->next->used) {
            b->size += HEADER + b->next->size;
            b->next = b->next->next;
        }
    nx_unlock(&lock);
}

void *realloc(void *bytes, size_t size)
{
    void *fresh = malloc(size);
    if (!bytes || !fresh) return fresh;
    size_t old = ((struct block *)((char *)bytes - HEADER))->size;
    memcpy(fresh, bytes, old < size ? old : size);
    free(bytes);
    return fresh;
}
