/* The console's clock and calendar. */
#ifndef HZ_CLOCKS_H
#define HZ_CLOCKS_H

#include <stdint.h>

/* As services exchange it: the time, then what follows from it. */
typedef struct hz_calendar {
  uint16_t year;
  uint8_t month, day, hour, minute, second, pad; /* months from 1 */
  uint32_t weekday, yearday;                     /* Sunday and January 1st are 0 */
  char zone[8];
  uint32_t is_dst;
  int32_t offset_s;
} hz_calendar;

#define HZ_CALENDAR_TIME_SIZE 8

#define HZ_EPOCH_S 1700000000 /* what the clocks show at the start: 2023-11-14 22:13:20 UTC */

void hz_clocks_init(void);

/* Seconds since 1970 on the user's clock. */
int64_t hz_clock_posix(void);

hz_calendar hz_calendar_of(int64_t posix);
int64_t hz_calendar_to_posix(const hz_calendar *calendar);

#endif
