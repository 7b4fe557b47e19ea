/* set and set:sys: an English console with system version 9.0.0. */
#include <string.h>

#include "../kernel/object.h"
#include "services.h"

#define SETTINGS_ITEM_NOT_FOUND HZ_RESULT(105, 11)
#define LANGUAGE_OUT_OF_RANGE HZ_RESULT(105, 625)

static const char languages[][8] = {"ja", "en-US", "fr",    "de",    "it",     "es",      "zh-CN",   "ko",    "nl",
                                    "pt", "ru",    "zh-TW", "en-GB", "fr-CA", "es-419", "zh-Hans", "zh-Hant"};
#define LANGUAGES (sizeof languages / sizeof *languages)
#define FIRST_LANGUAGES 15u /* that the older command lists */
#define OUR_LANGUAGE 1u
#define REGION_USA 1u

static uint64_t code(unsigned language) {
  uint64_t packed;
  memcpy(&packed, languages[language], sizeof packed);
  return packed;
}

static hz_result get_language_code(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, code(OUR_LANGUAGE));
  return HZ_OK;
}

static hz_result list(hz_request *r, uint32_t count) {
  const uint64_t written = hz_write_out(r, 0, languages, count * sizeof *languages);
  hz_put32(r, (uint32_t)(written / sizeof *languages));
  return HZ_OK;
}

static hz_result get_first_language_codes(hz_instance *self, hz_request *r) {
  (void)self;
  return list(r, FIRST_LANGUAGES);
}

static hz_result get_language_codes(hz_instance *self, hz_request *r) {
  (void)self;
  return list(r, LANGUAGES);
}

static hz_result make_language_code(hz_instance *self, hz_request *r) {
  (void)self;
  const uint32_t language = hz_get32(r, 0);
  if (language >= LANGUAGES) return LANGUAGE_OUT_OF_RANGE;
  hz_put64(r, code(language));
  return HZ_OK;
}

static hz_result count_first(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, FIRST_LANGUAGES);
  return HZ_OK;
}

static hz_result count_all(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, LANGUAGES);
  return HZ_OK;
}

static hz_result get_region_code(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, REGION_USA);
  return HZ_OK;
}

static const hz_command set_commands[] = {
    {0, "GetLanguageCode", get_language_code},
    {1, "GetAvailableLanguageCodes", get_first_language_codes},
    {2, "MakeLanguageCode", make_language_code},
    {3, "GetAvailableLanguageCodeCount", count_first},
    {4, "GetRegionCode", get_region_code},
    {5, "GetAvailableLanguageCodes2", get_language_codes},
    {6, "GetAvailableLanguageCodeCount2", count_all},
};

HZ_INTERFACE(hz_set, "set", set_commands, NULL);

static hz_result get_firmware_version(hz_instance *self, hz_request *r) {
  (void)self;
  struct {
    uint8_t major, minor, micro, pad, revision_major, revision_minor, pads[2];
    char platform[0x20], hash[0x40], version[0x18], title[0x80];
  } firmware = {9, 0, 0, 0, 0, 0, {0}, "NX", "", "9.0.0", "NintendoSDK Firmware for NX 9.0.0"};
  return hz_write_out(r, 0, &firmware, sizeof firmware) ? HZ_OK : HZ_INVALID_POINTER;
}

static hz_result no_settings_item(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return SETTINGS_ITEM_NOT_FOUND;
}

static const hz_command set_sys_commands[] = {
    {3, "GetFirmwareVersion", get_firmware_version},
    {4, "GetFirmwareVersion2", get_firmware_version},
    {23, "GetColorSetId", hz_zero32},
    {37, "GetSettingsItemValueSize", no_settings_item},
    {38, "GetSettingsItemValue", no_settings_item},
};

HZ_INTERFACE(hz_set_sys, "set:sys", set_sys_commands, NULL);

/* apm: performance, which nothing here depends on. */

#define HANDHELD_CONFIGURATION 0x20004u

static hz_result get_configuration(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, HANDHELD_CONFIGURATION);
  return HZ_OK;
}

static const hz_command apm_session_commands[] = {
    {0, "SetPerformanceConfiguration", hz_success},
    {1, "GetPerformanceConfiguration", get_configuration},
};

static HZ_INTERFACE(apm_session, "apm.ISession", apm_session_commands, NULL);

static hz_result open_session(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&apm_session, NULL, 0));
  return HZ_OK;
}

static const hz_command apm_commands[] = {
    {0, "OpenSession", open_session},
    {1, "GetPerformanceMode", hz_zero32},
    {6, "IsCpuOverclockEnabled", hz_zero32},
};

HZ_INTERFACE(hz_apm, "apm", apm_commands, NULL);
