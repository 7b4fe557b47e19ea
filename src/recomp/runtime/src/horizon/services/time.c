/* time: clocks of the virtual time, which begins at 2023-11-14 22:13:20 UTC. */
#include <string.h>

#include "../../clock.h"
#include "../../memory.h"
#include "../kernel/shared.h"
#include "clocks.h"
#include "services.h"

#define TIME_NOT_FOUND HZ_RESULT(116, 200)
#define ZONE "UTC"
#define SOURCE_ID_SIZE 16
#define STEADY_AT 0x00u
#define LOCAL_AT 0x38u
#define NETWORK_AT 0x80u

static hz_shared *shared;
static const uint8_t source_id[SOURCE_ID_SIZE] = {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                                  0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11};

static int64_t seconds(void) { return (int64_t)(rt_clock_now() / RT_UNITS_PER_SECOND); }

typedef struct context {
  int64_t offset_s, time_point_s;
  uint8_t id[SOURCE_ID_SIZE];
} context;

static context our_context(void) {
  context c = {HZ_EPOCH_S, 0, {0}};
  memcpy(c.id, source_id, sizeof c.id);
  return c;
}

/* A counter, then two copies of the value, of which the counter names one. */
static void publish(uint32_t at, const void *value, uint32_t size) {
  memcpy(shared->bytes + at + 8, value, size);
  memcpy(shared->bytes + at + 8 + size, value, size);
}

void hz_clocks_init(void) {
  const context c = our_context();
  struct {
    int64_t base_ns;
    uint8_t id[SOURCE_ID_SIZE];
  } steady = {0, {0}};
  memcpy(steady.id, source_id, sizeof steady.id);
  shared = hz_shared_new(RT_PAGE, RT_READ);
  publish(STEADY_AT, &steady, sizeof steady);
  publish(LOCAL_AT, &c, sizeof c);
  publish(NETWORK_AT, &c, sizeof c);
}

int64_t hz_clock_posix(void) { return HZ_EPOCH_S + seconds(); }

static hz_result get_time(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, (uint64_t)hz_clock_posix());
  return HZ_OK;
}

static hz_result get_context(hz_instance *self, hz_request *r) {
  (void)self;
  const context c = our_context();
  hz_put_bytes(r, &c, sizeof c);
  return HZ_OK;
}

static const hz_command clock_commands[] = {
    {0, "GetCurrentTime", get_time},
    {1, "SetCurrentTime", hz_success},
    {2, "GetSystemClockContext", get_context},
    {3, "SetSystemClockContext", hz_success},
};
static HZ_INTERFACE(system_clock, "time.ISystemClock", clock_commands, NULL);

static hz_result get_time_point(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, (uint64_t)seconds());
  hz_put_bytes(r, source_id, sizeof source_id);
  return HZ_OK;
}

static hz_result get_offset(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 0);
  return HZ_OK;
}

static const hz_command steady_commands[] = {
    {0, "GetCurrentTimePoint", get_time_point}, {2, "GetTestOffset", get_offset},     {3, "SetTestOffset", hz_success},
    {100, "GetRtcValue", get_time},             {200, "GetInternalOffset", get_offset},
};
static HZ_INTERFACE(steady_clock, "time.ISteadyClock", steady_commands, NULL);

/* Time zones: there is UTC. */

static hz_result get_location(hz_instance *self, hz_request *r) {
  (void)self;
  static const char name[0x24] = ZONE;
  hz_put_bytes(r, name, sizeof name);
  return HZ_OK;
}

static hz_result count_locations(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, 1);
  return HZ_OK;
}

static hz_result list_locations(hz_instance *self, hz_request *r) {
  (void)self;
  static const char name[0x24] = ZONE;
  const bool first = hz_get32(r, 0) == 0;
  hz_put32(r, first && hz_write_out(r, 0, name, sizeof name) == sizeof name);
  return HZ_OK;
}

static hz_result load_rule(hz_instance *self, hz_request *r) {
  (void)self;
  void *rule = r->out_count ? hz_out(r, 0, r->out[0].size) : NULL;
  if (!rule) return TIME_NOT_FOUND;
  memset(rule, 0, r->out[0].size);
  return HZ_OK;
}

static hz_result to_calendar(hz_instance *self, hz_request *r) {
  (void)self;
  const hz_calendar c = hz_calendar_of((int64_t)hz_get64(r, 0));
  hz_put_bytes(r, &c, sizeof c);
  return HZ_OK;
}

static hz_result to_posix(hz_instance *self, hz_request *r) {
  (void)self;
  hz_calendar c;
  memset(&c, 0, sizeof c);
  if (r->argument_size < HZ_CALENDAR_TIME_SIZE) return TIME_NOT_FOUND;
  memcpy(&c, r->arguments, HZ_CALENDAR_TIME_SIZE);
  const int64_t posix = hz_calendar_to_posix(&c);
  hz_put32(r, hz_write_out(r, 0, &posix, sizeof posix) == sizeof posix);
  return HZ_OK;
}

static const hz_command zone_commands[] = {
    {0, "GetDeviceLocationName", get_location},
    {2, "GetTotalLocationNameCount", count_locations},
    {3, "LoadLocationNameList", list_locations},
    {4, "LoadTimeZoneRule", load_rule},
    {100, "ToCalendarTime", to_calendar},
    {101, "ToCalendarTimeWithMyRule", to_calendar},
    {201, "ToPosixTime", to_posix},
    {202, "ToPosixTimeWithMyRule", to_posix},
};
static HZ_INTERFACE(time_zone, "time.ITimeZoneService", zone_commands, NULL);

static hz_result get_system_clock(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&system_clock, NULL, r->command));
  return HZ_OK;
}

static hz_result get_steady_clock(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&steady_clock, NULL, 0));
  return HZ_OK;
}

static hz_result get_time_zone(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&time_zone, NULL, 0));
  return HZ_OK;
}

static hz_result get_shared_memory(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_copy(r, shared);
  return HZ_OK;
}

static hz_result get_byte0(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, 0);
  return HZ_OK;
}

static const hz_command commands[] = {
    {0, "GetStandardUserSystemClock", get_system_clock},
    {1, "GetStandardNetworkSystemClock", get_system_clock},
    {2, "GetStandardSteadyClock", get_steady_clock},
    {3, "GetTimeZoneService", get_time_zone},
    {4, "GetStandardLocalSystemClock", get_system_clock},
    {20, "GetSharedMemoryNativeHandle", get_shared_memory},
    {100, "IsStandardUserSystemClockAutomaticCorrectionEnabled", get_byte0},
};
HZ_INTERFACE(hz_time, "time", commands, NULL);
