/* vi: the display and its layers. There is one display, and every layer is a window of its own size on it. */
#include "../display/screen.h"
#include "binder.h"
#include "parcel.h"
#include "services.h"

#define VI_NOT_FOUND HZ_RESULT(114, 7)
#define DISPLAY 1u
#define NATIVE_WINDOW_SIZE 0x100u
#define DISPLAY_NAME_SIZE 0x40u

static const hz_interface hz_display_service, hz_system_display, hz_manager_display;

static hz_result put_binder(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&hz_binder, NULL, 0));
  return HZ_OK;
}

static hz_result put_system(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&hz_system_display, NULL, 0));
  return HZ_OK;
}

static hz_result put_manager(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&hz_manager_display, NULL, 0));
  return HZ_OK;
}

static hz_result open_display(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, DISPLAY);
  return HZ_OK;
}

static hz_result get_resolution(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, HZ_SCREEN_WIDTH);
  hz_put64(r, HZ_SCREEN_HEIGHT);
  return HZ_OK;
}

static hz_result get_logical_resolution(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put32(r, HZ_SCREEN_WIDTH);
  hz_put32(r, HZ_SCREEN_HEIGHT);
  return HZ_OK;
}

/* The parcel with which a program finds the layer's buffer queue. */
static hz_result put_window(hz_request *r, uint64_t layer) {
  hz_parcel_out out = hz_parcel_new();
  const uint32_t words[6] = {2, 0, (uint32_t)layer, 0, 0, 0}, zeros[2] = {0, 0};
  hz_parcel_put(&out, words, sizeof words);
  hz_parcel_put(&out, "dispdrv", 8);
  hz_parcel_put(&out, zeros, sizeof zeros);
  const uint32_t size = hz_parcel_finish(&out);
  if (r->out_count < 1 || r->out[0].size < size) return HZ_INVALID_POINTER;
  if (!hz_write_out(r, 0, out.bytes, r->out[0].size < sizeof out.bytes ? r->out[0].size : sizeof out.bytes))
    return HZ_INVALID_POINTER;
  hz_put64(r, size);
  return HZ_OK;
}

static hz_result open_layer(hz_instance *self, hz_request *r) {
  (void)self;
  const uint64_t layer = hz_get64(r, DISPLAY_NAME_SIZE);
  return hz_screen_layer(layer) ? put_window(r, layer) : VI_NOT_FOUND;
}

static hz_result create_stray_layer(hz_instance *self, hz_request *r) {
  (void)self;
  const uint64_t layer = hz_screen_add_layer();
  if (!layer) return VI_NOT_FOUND;
  hz_put64(r, layer);
  return put_window(r, layer);
}

static hz_result create_managed_layer(hz_instance *self, hz_request *r) {
  (void)self;
  const uint64_t layer = hz_screen_add_layer();
  if (!layer) return VI_NOT_FOUND;
  hz_put64(r, layer);
  return HZ_OK;
}

static hz_result remove_layer(hz_instance *self, hz_request *r) {
  (void)self;
  hz_screen_remove_layer(hz_get64(r, 0));
  return HZ_OK;
}

static hz_result get_vsync_event(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_copy(r, hz_screen_vsync_event());
  return HZ_OK;
}

static hz_result list_displays(hz_instance *self, hz_request *r) {
  (void)self;
  static const struct {
    char name[0x40];
    uint8_t has_limit, pad[7];
    uint64_t layers, width, height;
  } display = {"Default", 1, {0}, HZ_LAYERS, HZ_SCREEN_WIDTH, HZ_SCREEN_HEIGHT};
  hz_put64(r, hz_write_out(r, 0, &display, sizeof display) == sizeof display);
  return HZ_OK;
}

static hz_result convert_scaling_mode(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, hz_get32(r, 0));
  return HZ_OK;
}

static const hz_command display_commands[] = {
    {100, "GetRelayService", put_binder},
    {101, "GetSystemDisplayService", put_system},
    {102, "GetManagerDisplayService", put_manager},
    {103, "GetIndirectDisplayTransactionService", put_binder},
    {1000, "ListDisplays", list_displays},
    {1010, "OpenDisplay", open_display},
    {1011, "OpenDefaultDisplay", open_display},
    {1020, "CloseDisplay", hz_success},
    {1101, "SetDisplayEnabled", hz_success},
    {1102, "GetDisplayResolution", get_resolution},
    {2020, "OpenLayer", open_layer},
    {2021, "CloseLayer", remove_layer},
    {2030, "CreateStrayLayer", create_stray_layer},
    {2031, "DestroyStrayLayer", remove_layer},
    {2101, "SetLayerScalingMode", hz_success},
    {2102, "ConvertScalingMode", convert_scaling_mode},
    {5202, "GetDisplayVsyncEvent", get_vsync_event},
};
static HZ_INTERFACE(hz_display_service, "vi.IApplicationDisplayService", display_commands, NULL);

static hz_result get_z_min(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 0);
  return HZ_OK;
}

static hz_result get_z_max(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, 2);
  return HZ_OK;
}

static hz_result set_z(hz_instance *self, hz_request *r) {
  (void)self;
  hz_layer *layer = hz_screen_layer(hz_get64(r, 0));
  if (!layer) return VI_NOT_FOUND;
  layer->z = hz_get64(r, 8);
  return HZ_OK;
}

static const hz_command system_commands[] = {
    {1200, "GetZOrderCountMin", get_z_min},
    {1202, "GetZOrderCountMax", get_z_max},
    {1203, "GetDisplayLogicalResolution", get_logical_resolution},
    {1204, "SetDisplayMagnification", hz_success},
    {2201, "SetLayerPosition", hz_success},
    {2203, "SetLayerSize", hz_success},
    {2205, "SetLayerZ", set_z},
    {2207, "SetLayerVisibility", hz_success},
    {2312, "CreateStrayLayer", create_stray_layer},
};
static HZ_INTERFACE(hz_system_display, "vi.ISystemDisplayService", system_commands, NULL);

static const hz_command manager_commands[] = {
    {2010, "CreateManagedLayer", create_managed_layer},
    {2011, "DestroyManagedLayer", remove_layer},
    {2012, "CreateStrayLayer", create_stray_layer},
    {4201, "SetDisplayAlpha", hz_success},
    {4203, "SetDisplayLayerStack", hz_success},
    {4205, "SetDisplayPowerState", hz_success},
    {6000, "AddToLayerStack", hz_success},
    {6001, "RemoveFromLayerStack", hz_success},
    {6002, "SetLayerVisibility", hz_success},
    {7000, "SetContentVisibility", hz_success},
};
static HZ_INTERFACE(hz_manager_display, "vi.IManagerDisplayService", manager_commands, NULL);

static hz_result get_display_service(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&hz_display_service, NULL, 0));
  return HZ_OK;
}

static const hz_command root_commands[] = {
    {0, "GetDisplayService", get_display_service},
    {1, "GetDisplayService", get_display_service},
    {2, "GetDisplayService", get_display_service},
};
HZ_INTERFACE(hz_vi, "vi", root_commands, NULL);
