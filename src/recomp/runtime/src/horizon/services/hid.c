/* hid: pads and touch. What they show is in shared memory; the commands mostly only switch it on. */
#include "../input/hid_memory.h"
#include "services.h"

static hz_result get_shared_memory(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_copy(r, hz_hid_memory());
  return HZ_OK;
}

static const hz_command resource_commands[] = {{0, "GetSharedMemoryHandle", get_shared_memory}};
static HZ_INTERFACE(resource, "hid.IAppletResource", resource_commands, NULL);

static hz_result create_resource(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&resource, NULL, 0));
  return HZ_OK;
}

static const hz_command vibration_commands[] = {{0, "ActivateVibrationDevice", hz_success}};
static HZ_INTERFACE(vibration, "hid.IActiveVibrationDeviceList", vibration_commands, NULL);

static hz_result create_vibration_list(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&vibration, NULL, 0));
  return HZ_OK;
}

static hz_result set_style_set(hz_instance *self, hz_request *r) {
  (void)self;
  hz_hid_support(hz_get32(r, 0));
  return HZ_OK;
}

static hz_result get_style_set(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, hz_hid_supported());
  return HZ_OK;
}

/* Signalled once: the pad is there. */
static hz_result get_style_event(hz_instance *self, hz_request *r) {
  (void)self;
  hz_event *event = hz_event_new();
  event->signalled = true;
  hz_give_copy(r, event);
  hz_object_drop(event);
  return HZ_OK;
}

static hz_result get_hold_type(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 0);
  return HZ_OK;
}

static hz_result get_led_pattern(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, hz_get32(r, 0) == 0 ? 1 : 0);
  return HZ_OK;
}

static hz_result get_vibration_info(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, 1);
  hz_put32(r, 0);
  return HZ_OK;
}

static hz_result get_vibration(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 0);
  hz_put64(r, 0);
  return HZ_OK;
}

static hz_result get_byte0(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, 0);
  return HZ_OK;
}

static const hz_command commands[] = {
    {0, "CreateAppletResource", create_resource},
    {1, "ActivateDebugPad", hz_success},
    {11, "ActivateTouchScreen", hz_success},
    {21, "ActivateMouse", hz_success},
    {31, "ActivateKeyboard", hz_success},
    {32, "SendKeyboardLockKeyEvent", hz_success},
    {60, "ActivateJoyXpad", hz_success},
    {64, "DeactivateJoySixAxisSensor", hz_success},
    {66, "StartSixAxisSensor", hz_success},
    {67, "StopSixAxisSensor", hz_success},
    {68, "IsSixAxisSensorFusionEnabled", get_byte0},
    {69, "EnableSixAxisSensorFusion", hz_success},
    {70, "SetSixAxisSensorFusionParameters", hz_success},
    {72, "ResetSixAxisSensorFusionParameters", hz_success},
    {79, "SetGyroscopeZeroDriftMode", hz_success},
    {80, "GetGyroscopeZeroDriftMode", hz_zero32},
    {81, "ResetGyroscopeZeroDriftMode", hz_success},
    {82, "IsSixAxisSensorAtRest", get_byte0},
    {91, "ActivateGesture", hz_success},
    {100, "SetSupportedNpadStyleSet", set_style_set},
    {101, "GetSupportedNpadStyleSet", get_style_set},
    {102, "SetSupportedNpadIdType", hz_success},
    {103, "ActivateNpad", hz_success},
    {104, "DeactivateNpad", hz_success},
    {106, "AcquireNpadStyleSetUpdateEventHandle", get_style_event},
    {107, "DisconnectNpad", hz_success},
    {108, "GetPlayerLedPattern", get_led_pattern},
    {109, "ActivateNpadWithRevision", hz_success},
    {120, "SetNpadJoyHoldType", hz_success},
    {121, "GetNpadJoyHoldType", get_hold_type},
    {122, "SetNpadJoyAssignmentModeSingleByDefault", hz_success},
    {123, "SetNpadJoyAssignmentModeSingle", hz_success},
    {124, "SetNpadJoyAssignmentModeDual", hz_success},
    {125, "MergeSingleJoyAsDualJoy", hz_success},
    {126, "StartLrAssignmentMode", hz_success},
    {127, "StopLrAssignmentMode", hz_success},
    {128, "SetNpadHandheldActivationMode", hz_success},
    {129, "GetNpadHandheldActivationMode", get_hold_type},
    {130, "SwapNpadAssignment", hz_success},
    {131, "IsUnintendedHomeButtonInputProtectionEnabled", get_byte0},
    {132, "EnableUnintendedHomeButtonInputProtection", hz_success},
    {200, "GetVibrationDeviceInfo", get_vibration_info},
    {201, "SendVibrationValue", hz_success},
    {202, "GetActualVibrationValue", get_vibration},
    {203, "CreateActiveVibrationDeviceList", create_vibration_list},
    {204, "PermitVibration", hz_success},
    {205, "IsVibrationPermitted", get_byte0},
    {206, "SendVibrationValues", hz_success},
    {300, "ActivateConsoleSixAxisSensor", hz_success},
    {301, "StartConsoleSixAxisSensor", hz_success},
    {302, "StopConsoleSixAxisSensor", hz_success},
    {303, "ActivateSevenSixAxisSensor", hz_success},
    {1000, "SetNpadCommunicationMode", hz_success},
    {1001, "GetNpadCommunicationMode", get_hold_type},
};

HZ_INTERFACE(hz_hid, "hid", commands, NULL);
