#include <string.h>

#include "clocks.h"

#define DAY_S 86400
#define MOST_S (INT64_C(1) << 33) /* years of four digits */

static int is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int month_length(int64_t year, int month) {
  static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && is_leap(year));
}

hz_calendar hz_calendar_of(int64_t posix) {
  hz_calendar c;
  memset(&c, 0, sizeof c);
  if (posix < 0) posix = 0;
  if (posix > MOST_S) posix = MOST_S;
  int64_t days = posix / DAY_S, rest = posix % DAY_S, year = 1970;
  c.weekday = (uint32_t)((days + 4) % 7);
  for (; days >= 365 + is_leap(year); year++) days -= 365 + is_leap(year);
  c.yearday = (uint32_t)days;
  int month = 1;
  for (; days >= month_length(year, month); month++) days -= month_length(year, month);
  c.year = (uint16_t)year;
  c.month = (uint8_t)month;
  c.day = (uint8_t)(days + 1);
  c.hour = (uint8_t)(rest / 3600);
  c.minute = (uint8_t)(rest / 60 % 60);
  c.second = (uint8_t)(rest % 60);
  memcpy(c.zone, "UTC", 3);
  return c;
}

int64_t hz_calendar_to_posix(const hz_calendar *c) {
  int64_t days = 0;
  for (int64_t year = 1970; year < c->year; year++) days += 365 + is_leap(year);
  for (int month = 1; month < c->month && month < 13; month++) days += month_length(c->year, month);
  return (days + c->day - 1) * DAY_S + c->hour * 3600 + c->minute * 60 + c->second;
}
