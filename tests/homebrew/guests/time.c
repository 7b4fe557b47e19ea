#include "check.h"

#include <nx/system.h>

static void check_calendar(void)
{
    static const struct {
        uint64_t seconds;
        uint16_t year;
        uint8_t month, day, hour, minute, second;
        uint32_t weekday, day_of_year;
    } dates[] = {
        {0, 1970, 1, 1, 0, 0, 0, 4, 0},
        {951782399, 2000, 2, 28, 23, 59, 59, 1, 58},
        {951782400, 2000, 2, 29, 0, 0, 0, 2, 59},
        {1700000000, 2023, 11, 14, 22, 13, 20, 2, 317},
        {4102444799, 2099, 12, 31, 23, 59, 59, 4, 364},
    };
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        struct nx_calendar c = {0};
        uint64_t back = 0;
        CHECK_OK(nx_time_calendar(dates[i].seconds, &c));
        check("date", (uint64_t)c.year * 10000 + c.month * 100u + c.day,
              (uint64_t)dates[i].year * 10000 + dates[i].month * 100u + dates[i].day);
        check("time", c.hour * 10000u + c.minute * 100u + c.second,
              dates[i].hour * 10000u + dates[i].minute * 100u + dates[i].second);
        check("weekday", c.weekday, dates[i].weekday);
        check("day of the year", c.day_of_year, dates[i].day_of_year);
        check("zone", (uint64_t)strcmp(c.zone, "UTC"), 0);
        CHECK_OK(nx_time_from_calendar(&c, &back));
        check("and back", back, dates[i].seconds);
    }
}

static void check_clocks(void)
{
    struct nx_service clocks = must_get("time:u"), clock, steady;
    uint64_t now = 0, shared = 0, context[4];
    CHECK_OK(nx_time_now(&now));
    CHECK_OK(nx_time_now_shared(&shared));
    check("both clocks agree", shared - now <= 1, 1);
    check("it is November 2023", now / 100000, 17000);
    for (uint32_t which = 0; which <= 4; which++) {
        if (which == 2 || which == 3) continue;
        CHECK_OK(nx_call_object(&clocks, which, &clock));
        check("a clock", ask_long(&clock, 0), now);
        CHECK_OK(nx_call_out(&clock, 2, context, sizeof context));
        nx_close(&clock);
    }
    CHECK_OK(nx_call_object(&clocks, 2, &steady));
    CHECK_OK(nx_call_out(&steady, 0, context, 24));
    check("seconds since the start", context[0] < 60, 1);
    nx_close(&steady);
    nx_sleep(1000000000);
    uint64_t later = 0;
    CHECK_OK(nx_time_now(&later));
    check("a second later", later - now, 1);
    nx_close(&clocks);
}

static void check_zones(void)
{
    struct nx_service clocks = must_get("time:u"), zones;
    char name[0x24] = {0};
    CHECK_OK(nx_call_object(&clocks, 3, &zones));
    CHECK_OK(nx_call_out(&zones, 0, name, sizeof name));
    check("where we are", (uint64_t)strcmp(name, "UTC"), 0);
    nx_close(&zones);
    nx_close(&clocks);
}

void check_time(void)
{
    CHECK_OK(nx_time_open());
    check_calendar();
    check_clocks();
    check_zones();
    nx_time_close();
}
