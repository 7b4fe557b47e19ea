/* Shortest paths through a random network: pointers, a priority queue, unpredictable memory. */
#include "kernel.h"

enum { PLACES = 4000, ROADS = 4 };

struct place {
    struct place *to[ROADS];
    uint32_t length[ROADS];
    uint32_t distance, spare;
};

struct entry {
    uint32_t distance;
    struct place *place;
};

static struct place places[PLACES];
static struct entry queue[PLACES * ROADS + 1];
static int waiting;

static void put(struct entry e)
{
    int at = ++waiting;
    for (; at > 1 && queue[at / 2].distance > e.distance; at /= 2) queue[at] = queue[at / 2];
    queue[at] = e;
}

static struct entry take(void)
{
    struct entry first = queue[1], last = queue[waiting--];
    int at = 1;
    for (int child; (child = at * 2) <= waiting; at = child) {
        if (child < waiting && queue[child + 1].distance < queue[child].distance) child++;
        if (queue[child].distance >= last.distance) break;
        queue[at] = queue[child];
    }
    queue[at] = last;
    return first;
}

static void search(struct place *start)
{
    for (int i = 0; i < PLACES; i++) places[i].distance = UINT32_MAX;
    start->distance = 0;
    waiting = 0;
    put((struct entry){0, start});
    while (waiting > 0) {
        struct entry e = take();
        if (e.distance != e.place->distance) continue;
        for (int i = 0; i < ROADS; i++) {
            struct place *next = e.place->to[i];
            uint32_t distance = e.distance + e.place->length[i];
            if (distance >= next->distance) continue;
            next->distance = distance;
            put((struct entry){distance, next});
        }
    }
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    uint64_t hash = 0;
    for (int i = 0; i < PLACES; i++)
        for (int k = 0; k < ROADS; k++) {
            uint64_t r = next_random(&seed);
            places[i].to[k] = &places[r % PLACES];
            places[i].length[k] = (uint32_t)(r >> 40 & 1023) + 1;
        }
    for (uint64_t round = 0; round < size; round++) {
        uint64_t r = next_random(&seed);
        places[r >> 32 & 2047].length[r & 3] = (uint32_t)(r >> 50) + 1;
        search(&places[r % PLACES]);
        for (int i = 0; i < PLACES; i += 13) hash = fold(hash, places[i].distance);
    }
    return hash;
}
