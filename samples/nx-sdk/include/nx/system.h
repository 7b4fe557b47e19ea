/* Version, language, clock and calendar. */
#ifndef NX_SYSTEM_H
#define NX_SYSTEM_H

#include "types.h"

#define NX_VERSION(major, minor, micro) ((uint32_t)((major) << 16 | (minor) << 8 | (micro)))

/* What the loader said, else what the settings service says; 0 if neither does. */
uint32_t nx_system_version(void);

/* Ticks of 19.2 MHz, and the same in nanoseconds. */
uint64_t nx_ticks(void);
uint64_t nx_ticks_to_ns(uint64_t ticks);

struct nx_calendar {
    uint16_t year;
    uint8_t month, day, hour, minute, second, pad; /* month and day from 1 */
    uint32_t weekday, day_of_year;                  /* 0 is Sunday; 0 is the first of January */
    char zone[8];
    uint32_t summer_time;
    int32_t utc_offset;
};

nx_result nx_time_open(void);
void nx_time_close(void);

/* Seconds since 1970, from the clock service and from the memory it shares. */
nx_result nx_time_now(uint64_t *seconds);
nx_result nx_time_now_shared(uint64_t *seconds);
nx_result nx_time_calendar(uint64_t seconds, struct nx_calendar *calendar);
nx_result nx_time_from_calendar(const struct nx_calendar *calendar, uint64_t *seconds);

/* Such as "en-US", packed into a word. */
nx_result nx_language(uint64_t *code);

#endif
