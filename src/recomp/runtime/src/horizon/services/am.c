/* appletOE and appletAE: the proxies through which a program reaches its place on the console. */
#include "am.h"

#include "services.h"

static hz_result get_user(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, HZ_APPLET_USER);
  return HZ_OK;
}

static const hz_command window_commands[] = {
    {1, "GetAppletResourceUserId", get_user},
    {2, "GetAppletResourceUserIdOfCallerApplet", get_user},
    {10, "AcquireForegroundRights", hz_success},
    {11, "ReleaseForegroundRights", hz_success},
    {12, "RejectToChangeIntoBackground", hz_success},
};
static HZ_INTERFACE(window, "am.IWindowController", window_commands, NULL);

static hz_result get_volume(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, 0x3f800000u); /* 1.0 */
  return HZ_OK;
}

static const hz_command audio_commands[] = {
    {0, "SetExpectedMasterVolume", hz_success},       {1, "GetMainAppletExpectedMasterVolume", get_volume},
    {2, "GetLibraryAppletExpectedMasterVolume", get_volume}, {3, "ChangeMainAppletMasterVolume", hz_success},
    {4, "SetTransparentVolumeRate", hz_success},
};
static HZ_INTERFACE(audio, "am.IAudioController", audio_commands, NULL);

/* Other applets (keyboard, errors, web) are not there. */
static hz_result no_applet(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return HZ_AM_NO_DATA;
}

static const hz_command creator_commands[] = {
    {0, "CreateLibraryApplet", no_applet},
    {1, "TerminateAllLibraryApplets", hz_success},
    {2, "AreAnyLibraryAppletsLeft", hz_zero32},
    {10, "CreateStorage", no_applet},
    {11, "CreateTransferMemoryStorage", no_applet},
};
static HZ_INTERFACE(creator, "am.ILibraryAppletCreator", creator_commands, NULL);

static hz_result get_launch_reason(hz_instance *self, hz_request *r) {
  return hz_zero32(self, r);
}

static const hz_command winding_commands[] = {{0, "GetLaunchReason", get_launch_reason}};
static HZ_INTERFACE(winding, "am.IProcessWindingController", winding_commands, NULL);

static hz_result get_applet_info(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 0);
  return HZ_OK;
}

static const hz_command accessor_commands[] = {
    {0, "PopInData", no_applet},
    {1, "PushOutData", hz_success},
    {10, "ExitProcessAndReturn", hz_success},
    {11, "GetLibraryAppletInfo", get_applet_info},
};
static HZ_INTERFACE(accessor, "am.ILibraryAppletSelfAccessor", accessor_commands, NULL);

static const hz_interface display = {"am.IDisplayController", NULL, 0, NULL};
static const hz_interface debug = {"am.IDebugFunctions", NULL, 0, NULL};
static const hz_interface common = {"am.IAppletCommonFunctions", NULL, 0, NULL};
static const hz_interface home_menu = {"am.IHomeMenuFunctions", NULL, 0, NULL};
static const hz_interface global_state = {"am.IGlobalStateController", NULL, 0, NULL};

static const struct {
  uint32_t command;
  const hz_interface *interface;
} children[] = {
    {0, &hz_am_state}, {1, &hz_am_self}, {2, &window},    {3, &audio},         {4, &display},
    {10, &winding},    {11, &creator},   {21, &common},   {22, &home_menu},    {23, &global_state},
    {1000, &debug},
};

static hz_result get_child(hz_instance *self, hz_request *r) {
  (void)self;
  for (unsigned i = 0; i < sizeof children / sizeof *children; i++)
    if (children[i].command == r->command) hz_give_object(r, hz_instance_new(children[i].interface, NULL, 0));
  return HZ_OK;
}

/* An application's own functions; an applet finds its accessor in the same place. */
static hz_result get_functions(hz_instance *self, hz_request *r) {
  hz_give_object(r, hz_instance_new(self->number ? &accessor : &hz_am_functions, NULL, 0));
  return HZ_OK;
}

static const hz_command proxy_commands[] = {
    {0, "GetCommonStateGetter", get_child},        {1, "GetSelfController", get_child},
    {2, "GetWindowController", get_child},         {3, "GetAudioController", get_child},
    {4, "GetDisplayController", get_child},        {10, "GetProcessWindingController", get_child},
    {11, "GetLibraryAppletCreator", get_child},    {20, "GetFunctions", get_functions},
    {21, "GetAppletCommonFunctions", get_child},   {22, "GetHomeMenuFunctions", get_child},
    {23, "GetGlobalStateController", get_child},   {1000, "GetDebugFunctions", get_child},
};
static HZ_INTERFACE(proxy, "am.IProxy", proxy_commands, NULL);

/* The number says whether it is an applet's. */
static hz_result open_application(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&proxy, NULL, 0));
  return HZ_OK;
}

static hz_result open_applet(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&proxy, NULL, 1));
  return HZ_OK;
}

static const hz_command applet_commands[] = {
    {0, "OpenApplicationProxy", open_application},       {100, "OpenSystemAppletProxy", open_applet},
    {200, "OpenLibraryAppletProxyOld", open_applet},     {201, "OpenLibraryAppletProxy", open_applet},
    {300, "OpenOverlayAppletProxy", open_applet},        {350, "OpenSystemApplicationProxy", open_application},
};

HZ_INTERFACE(hz_applet, "applet", applet_commands, NULL);
