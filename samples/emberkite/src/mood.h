/* The colours of an hour of the day: what the backdrop is painted with. */
#ifndef MOOD_H
#define MOOD_H

#include <stdint.h>

enum { MOOD_SKY_STOPS = 5 };

struct mood {
    uint32_t sky[MOOD_SKY_STOPS]; /* zenith ... horizon */
    uint32_t disc, halo;          /* sun or moon, and its light */
    double disc_x, disc_y, disc_r;
    uint32_t cloud_lit, cloud_dark;
    uint32_t far_lit, far_dark;
    uint32_t mid_lit, mid_dark;
    uint32_t forest, front, haze, water;
    double stars, aurora, snow; /* 0..1 */
};

enum mood_id { MOOD_GOLD, MOOD_DUSK, MOOD_NIGHT, MOOD_AURORA, MOOD_DAWN, MOOD_ASH, MOOD_COUNT };

extern const struct mood moods[MOOD_COUNT];

/* The mood `amount` (0..1) of the way from one to another. */
struct mood mood_between(const struct mood *from, const struct mood *to, double amount);

#endif
