/* Double precision: bodies that attract each other, with square roots and divisions. */
#include <math.h>
#include <string.h>

#include "kernel.h"

enum { BODIES = 24 };

struct body {
    double x, y, z, vx, vy, vz, mass;
};

static double unit(uint64_t *seed)
{
    return (double)(next_random(seed) >> 11) / 9007199254740992.0;
}

static void step(struct body *b, double dt)
{
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++) {
            double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
            double square = dx * dx + dy * dy + dz * dz + 0.01;
            double pull = dt / (square * sqrt(square));
            b[i].vx -= dx * b[j].mass * pull, b[j].vx += dx * b[i].mass * pull;
            b[i].vy -= dy * b[j].mass * pull, b[j].vy += dy * b[i].mass * pull;
            b[i].vz -= dz * b[j].mass * pull, b[j].vz += dz * b[i].mass * pull;
        }
    for (int i = 0; i < BODIES; i++) b[i].x += dt * b[i].vx, b[i].y += dt * b[i].vy, b[i].z += dt * b[i].vz;
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    struct body bodies[BODIES];
    for (int i = 0; i < BODIES; i++)
        bodies[i] = (struct body){unit(&seed), unit(&seed), unit(&seed), unit(&seed), unit(&seed), unit(&seed), unit(&seed)};
    for (uint64_t i = 0; i < size; i++) step(bodies, 0.001);
    uint64_t hash = 0;
    for (int i = 0; i < BODIES; i++) {
        uint64_t bits;
        memcpy(&bits, &bodies[i].x, 8);
        hash = fold(hash, bits);
    }
    return hash;
}
