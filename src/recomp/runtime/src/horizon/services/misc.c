/* Small services: power, temperature, log, accounts, randomness, fatal errors. */
#include <string.h>

#include "../../end.h"
#include "../../random.h"
#include "../kernel/kthread.h"
#include "services.h"

#define ABORTED 6
#define BATTERY_PERCENT 80
#define CHARGER 1
#define CELSIUS 35
#define NO_USER HZ_RESULT(124, 20)

static hz_result battery(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, BATTERY_PERCENT);
  return HZ_OK;
}

static hz_result charger(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, CHARGER);
  return HZ_OK;
}

static const hz_command psm_session_commands[] = {
    {0, "BindStateChangeEvent", hz_idle_event},
    {1, "UnbindStateChangeEvent", hz_success},
    {2, "SetChargerTypeChangeEventEnabled", hz_success},
    {3, "SetPowerSupplyChangeEventEnabled", hz_success},
    {4, "SetBatteryVoltageStateChangeEventEnabled", hz_success},
};
static HZ_INTERFACE(psm_session, "psm.IPsmSession", psm_session_commands, NULL);

static hz_result open_psm_session(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&psm_session, NULL, 0));
  return HZ_OK;
}

static const hz_command psm_commands[] = {
    {0, "GetBatteryChargePercentage", battery},
    {1, "GetChargerType", charger},
    {7, "OpenSession", open_psm_session},
    {14, "IsEnoughPowerSupplied", charger},
};
HZ_INTERFACE(hz_psm, "psm", psm_commands, NULL);

static hz_result temperature(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, CELSIUS);
  return HZ_OK;
}

static hz_result temperature_milli(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, CELSIUS * 1000);
  return HZ_OK;
}

static const hz_command ts_commands[] = {
    {1, "GetTemperature", temperature},
    {3, "GetTemperatureMilliC", temperature_milli},
};
HZ_INTERFACE(hz_ts, "ts", ts_commands, NULL);

static hz_result shut_down(hz_instance *self, hz_request *r) {
  (void)self;
  rt_end(RT_END_EXIT, 0, (rt_end_place){0, 0}, hz_get32(r, 0) & 0xff ? "the program restarted the console" : "the program turned the console off");
}

static const hz_command spsm_commands[] = {{1, "Shutdown", shut_down}};
HZ_INTERFACE(hz_spsm, "spsm", spsm_commands, NULL);

static const hz_command logger_commands[] = {{0, "Log", hz_success}, {1, "SetDestination", hz_success}};
static HZ_INTERFACE(logger, "lm.ILogger", logger_commands, NULL);

static hz_result open_logger(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&logger, NULL, 0));
  return HZ_OK;
}

static const hz_command lm_commands[] = {{0, "OpenLogger", open_logger}};
HZ_INTERFACE(hz_lm, "lm", lm_commands, NULL);

/* Nobody has an account. */

static hz_result list_no_user(hz_instance *self, hz_request *r) {
  (void)self;
  void *users = r->out_count ? hz_out(r, 0, r->out[0].size) : NULL;
  if (users) memset(users, 0, r->out[0].size);
  return HZ_OK;
}

static hz_result user_exists(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, 0);
  return HZ_OK;
}

static hz_result last_user(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 0);
  hz_put64(r, 0);
  return HZ_OK;
}

static hz_result no_user(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return NO_USER;
}

static const hz_command acc_commands[] = {
    {0, "GetUserCount", hz_zero32},
    {1, "GetUserExistence", user_exists},
    {2, "ListAllUsers", list_no_user},
    {3, "ListOpenUsers", list_no_user},
    {4, "GetLastOpenedUser", last_user},
    {5, "GetProfile", no_user},
    {50, "IsUserRegistrationRequestPermitted", user_exists},
    {51, "TrySelectUserWithoutInteraction", last_user},
    {100, "InitializeApplicationInfoV0", hz_success},
    {101, "GetBaasAccountManagerForApplication", no_user},
    {140, "InitializeApplicationInfo", hz_success},
};
HZ_INTERFACE(hz_acc, "acc", acc_commands, NULL);

static hz_result random_bytes(hz_instance *self, hz_request *r) {
  (void)self;
  void *to = r->out_count ? hz_out(r, 0, r->out[0].size) : NULL;
  if (!to) return HZ_INVALID_POINTER;
  rt_random_fill(to, r->out[0].size);
  return HZ_OK;
}

static const hz_command csrng_commands[] = {{0, "GetRandomBytes", random_bytes}};
HZ_INTERFACE(hz_csrng, "csrng", csrng_commands, NULL);

static hz_result throw_fatal(hz_instance *self, hz_request *r) {
  (void)self;
  rt_end(RT_END_SIGNAL, ABORTED, (rt_end_place){hz_thread_current()->thread->cpu.pc, 0},
         "the program aborted: fatal error, result %s", hz_result_text(hz_get32(r, 0)));
}

static const hz_command fatal_commands[] = {
    {0, "ThrowFatal", throw_fatal}, {1, "ThrowFatalWithPolicy", throw_fatal}, {2, "ThrowFatalWithCpuContext", throw_fatal},
};
HZ_INTERFACE(hz_fatal, "fatal:u", fatal_commands, NULL);
