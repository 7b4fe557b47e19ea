/* nvdrv: the graphics driver, as far as programs need it that draw with the processor. Programs of 2018 set up a GPU
 * channel without using it; whoever submits work to one ends the run by name. */
#include <stdio.h>
#include <string.h>

#include "../../end.h"
#include "../kernel/kthread.h"
#include "../kernel/shared.h"
#include "nvmap.h"
#include "services.h"

#define DEVICES 64
#define ARGUMENT_SIZE 0x1000u
#define NOT_IMPLEMENTED 1u
#define BAD_PARAMETER 4u
#define NO_SUCH_FILE 0x30003u

#define IOCTL_TYPE(request) ((request) >> 8 & 0xff)
#define IOCTL_NUMBER(request) ((request) & 0xff)
#define CHANNEL_TYPE 0x48u
#define SUBMIT 0x08u
#define KICKOFF 0x1bu

static const char *const names[] = {"/dev/nvmap",         "/dev/nvhost-ctrl",   "/dev/nvhost-gpu",   "/dev/nvhost-ctrl-gpu",
                                    "/dev/nvhost-as-gpu", "/dev/nvhost-dbg-gpu", "/dev/nvhost-prof-gpu",
                                    "/dev/nvhost-vic",    "/dev/nvhost-nvdec",  "/dev/nvhost-nvjpg", "/dev/nvsched-ctrl",
                                    "/dev/nvcec-ctrl",    "/dev/nvhdcp_up-ctrl", "/dev/nvdcutil-disp0",
                                    "/dev/nvdisp-ctrl",   "/dev/nvdisp-disp0",  "/dev/nvdisp-disp1", "/dev/nverpt-ctrl"};
enum { NVMAP, CONTROL };

static struct {
  bool open;
  unsigned device;
} files[DEVICES]; /* 0 stays unused */

static hz_object *transfer;

static hz_result open_device(hz_instance *self, hz_request *r) {
  (void)self;
  char path[64];
  unsigned device = 0;
  const bool named = hz_in_text(r, 0, path, sizeof path);
  while (named && device < sizeof names / sizeof *names && strcmp(names[device], path) != 0) device++;
  uint32_t fd = 1;
  while (fd < DEVICES && files[fd].open) fd++;
  const bool ok = named && device < sizeof names / sizeof *names && fd < DEVICES;
  if (ok) files[fd].open = true, files[fd].device = device;
  hz_put32(r, ok ? fd : 0);
  hz_put32(r, ok ? 0 : NO_SUCH_FILE);
  return HZ_OK;
}

static hz_result close_device(hz_instance *self, hz_request *r) {
  (void)self;
  const uint32_t fd = hz_get32(r, 0);
  const bool ok = fd < DEVICES && files[fd].open;
  if (ok) files[fd].open = false;
  hz_put32(r, ok ? 0 : BAD_PARAMETER);
  return HZ_OK;
}

static uint32_t ioctl_of(unsigned device, uint32_t request, uint8_t *data, uint32_t size) {
  if (device == NVMAP) return hz_nvmap_ioctl(request, data, size);
  if (IOCTL_TYPE(request) == CHANNEL_TYPE && (IOCTL_NUMBER(request) == SUBMIT || IOCTL_NUMBER(request) == KICKOFF))
    rt_end(RT_END_TRAP, RT_CODE_RUNTIME, (rt_end_place){hz_thread_current()->thread->cpu.pc, 0},
           "this program draws with the GPU; not supported: it submitted work to %s", names[device]);
  return 0; /* set-up: the argument as it came */
}

/* The argument is copied in, worked on, and copied out. */
static hz_result ioctl_device(hz_instance *self, hz_request *r) {
  (void)self;
  static uint8_t data[ARGUMENT_SIZE];
  const uint32_t fd = hz_get32(r, 0), request = hz_get32(r, 4), size = request >> 16 & 0x3fff;
  if (fd >= DEVICES || !files[fd].open || size > sizeof data) {
    hz_put32(r, BAD_PARAMETER);
    return HZ_OK;
  }
  memset(data, 0, sizeof data);
  const uint64_t given = r->in_count ? r->in[0].size : 0, copied = given < size ? given : size;
  const void *from = hz_in(r, 0, copied);
  if (from) memcpy(data, from, copied);
  hz_put32(r, ioctl_of(files[fd].device, request, data, size));
  hz_write_out(r, 0, data, size);
  return HZ_OK;
}

static hz_result initialize(hz_instance *self, hz_request *r) {
  (void)self;
  for (uint32_t i = 0; i < r->handle_count; i++) {
    hz_object *object = hz_handle_get(r->handles[i], &hz_kind_transfer);
    if (object && !transfer) transfer = hz_object_keep(object);
  }
  hz_put32(r, 0);
  return HZ_OK;
}

static hz_result query_event(hz_instance *self, hz_request *r) {
  hz_put32(r, 0);
  return hz_idle_event(self, r);
}

/* The last session: the program has its transfer memory back, which it waits for. */
static void close(hz_instance *self) {
  (void)self;
  hz_object_drop(transfer);
  transfer = NULL;
}

static const hz_command commands[] = {
    {0, "Open", open_device},
    {1, "Ioctl", ioctl_device},
    {2, "Close", close_device},
    {3, "Initialize", initialize},
    {4, "QueryEvent", query_event},
    {8, "SetAruid", hz_zero32},
    {9, "DumpStatus", hz_success},
    {11, "Ioctl2", ioctl_device},
    {12, "Ioctl3", ioctl_device},
    {13, "SetGraphicsFirmwareMemoryMarginEnabled", hz_zero32},
};

HZ_INTERFACE(hz_nvdrv, "nvdrv", commands, close);
