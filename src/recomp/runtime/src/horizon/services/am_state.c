/* The applet manager: messages, focus, and what an application says about itself. */
#include "am.h"
#include "../kernel/object.h"
#include "../result.h"
#include "../../end.h"
#include "services.h"

#define FOCUS_STATE_CHANGED 15
#define IN_FOCUS 1
#define DISPLAY_WIDTH 1280
#define DISPLAY_HEIGHT 720

/* Programs of 2018 wait for the message that they have come into focus. */
static hz_event *message_event;
static bool focus_told;

static hz_event *messages(void) {
  if (!message_event) {
    message_event = hz_event_new();
    message_event->signalled = true;
  }
  return message_event;
}

static hz_result get_event(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_copy(r, messages());
  return HZ_OK;
}

static hz_result receive_message(hz_instance *self, hz_request *r) {
  (void)self;
  if (focus_told) return HZ_AM_NO_MESSAGE;
  focus_told = true;
  hz_event_clear(messages());
  hz_put32(r, FOCUS_STATE_CHANGED);
  return HZ_OK;
}

static hz_result get_byte0(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, 0);
  return HZ_OK;
}

static hz_result get_focus(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, IN_FOCUS);
  return HZ_OK;
}

static hz_result get_resolution(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, DISPLAY_WIDTH);
  hz_put32(r, DISPLAY_HEIGHT);
  return HZ_OK;
}

static const hz_command state_commands[] = {
    {0, "GetEventHandle", get_event},
    {1, "ReceiveMessage", receive_message},
    {5, "GetOperationMode", get_byte0},
    {6, "GetPerformanceMode", hz_zero32},
    {7, "GetCradleStatus", get_byte0},
    {8, "GetBootMode", hz_zero32},
    {9, "GetCurrentFocusState", get_focus},
    {20, "PushToGeneralChannel", hz_success},
    {50, "IsVrModeEnabled", get_byte0},
    {55, "IsInControllerFirmwareUpdateSection", get_byte0},
    {60, "GetDefaultDisplayResolution", get_resolution},
    {61, "GetDefaultDisplayResolutionChangeEvent", hz_idle_event},
    {66, "SetCpuBoostMode", hz_success},
};
HZ_INTERFACE(hz_am_state, "am.ICommonStateGetter", state_commands, NULL);

static hz_result exit_self(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  rt_end(RT_END_EXIT, 0, (rt_end_place){0, 0}, "ISelfController Exit");
}

static hz_result get_layer(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 1);
  return HZ_OK;
}

static hz_result get_long0(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 0);
  return HZ_OK;
}

static hz_result get_byte1(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, 1);
  return HZ_OK;
}

static const hz_command self_commands[] = {
    {0, "Exit", exit_self},
    {1, "LockExit", hz_success},
    {2, "UnlockExit", hz_success},
    {3, "EnterFatalSection", hz_success},
    {4, "LeaveFatalSection", hz_success},
    {9, "GetLibraryAppletLaunchableEvent", hz_idle_event},
    {10, "SetScreenShotPermission", hz_success},
    {11, "SetOperationModeChangedNotification", hz_success},
    {12, "SetPerformanceModeChangedNotification", hz_success},
    {13, "SetFocusHandlingMode", hz_success},
    {14, "SetRestartMessageEnabled", hz_success},
    {15, "SetScreenShotAppletIdentityInfo", hz_success},
    {16, "SetOutOfFocusSuspendingEnabled", hz_success},
    {17, "SetControllerFirmwareUpdateSection", hz_success},
    {18, "SetRequiresCaptureButtonShortPressedMessage", hz_success},
    {19, "SetScreenShotImageOrientation", hz_success},
    {20, "SetDesirableKeyboardLayout", hz_success},
    {40, "CreateManagedDisplayLayer", get_layer},
    {41, "IsSystemBufferSharingEnabled", get_byte1},
    {50, "SetHandlesRequestToDisplay", hz_success},
    {51, "ApproveToDisplay", hz_success},
    {60, "OverrideAutoSleepTimeAndDimmingTime", hz_success},
    {61, "SetMediaPlaybackState", hz_success},
    {62, "SetIdleTimeDetectionExtension", hz_success},
    {63, "GetIdleTimeDetectionExtension", hz_zero32},
    {64, "SetInputDetectionSourceSet", hz_success},
    {65, "ReportUserIsActive", hz_success},
    {68, "SetAutoSleepDisabled", hz_success},
    {69, "IsAutoSleepDisabled", get_byte0},
    {71, "GetCurrentIlluminanceEx", get_long0},
    {80, "SetWirelessPriorityMode", hz_success},
    {90, "GetAccumulatedSuspendedTickValue", get_long0},
    {91, "GetAccumulatedSuspendedTickChangedEvent", hz_idle_event},
    {1000, "GetDebugStorageChannel", hz_success},
};
HZ_INTERFACE(hz_am_self, "am.ISelfController", self_commands, NULL);

static hz_result no_parameter(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return HZ_AM_NO_DATA;
}

static hz_result get_language(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, UINT64_C(0x53552d6e65)); /* "en-US" */
  return HZ_OK;
}

static hz_result get_version(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put_bytes(r, "1.0.0\0\0\0\0\0\0\0\0\0\0", 16);
  return HZ_OK;
}

static hz_result get_device_id(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 1);
  hz_put64(r, 2);
  return HZ_OK;
}

static const hz_command function_commands[] = {
    {1, "PopLaunchParameter", no_parameter},
    {11, "CreateApplicationAndPushAndRequestToStart", no_parameter},
    {20, "EnsureSaveData", get_long0},
    {21, "GetDesiredLanguage", get_language},
    {22, "SetTerminateResult", hz_success},
    {23, "GetDisplayVersion", get_version},
    {30, "BeginBlockingHomeButtonShortAndLongPressed", hz_success},
    {31, "EndBlockingHomeButtonShortAndLongPressed", hz_success},
    {32, "BeginBlockingHomeButton", hz_success},
    {33, "EndBlockingHomeButton", hz_success},
    {40, "NotifyRunning", get_byte1},
    {50, "GetPseudoDeviceId", get_device_id},
    {60, "SetMediaPlaybackStateForApplication", hz_success},
    {65, "IsGamePlayRecordingSupported", get_byte0},
    {66, "InitializeGamePlayRecording", hz_success},
    {67, "SetGamePlayRecordingState", hz_success},
    {100, "InitializeApplicationCopyrightFrameBuffer", hz_success},
    {101, "SetApplicationCopyrightImage", hz_success},
    {102, "SetApplicationCopyrightVisibility", hz_success},
    {130, "GetGpuErrorDetectedSystemEvent", hz_idle_event},
};
HZ_INTERFACE(hz_am_functions, "am.IApplicationFunctions", function_commands, NULL);
