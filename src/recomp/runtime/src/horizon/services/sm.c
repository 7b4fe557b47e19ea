/* sm: hands out the other services. */
#include <stdio.h>
#include <string.h>

#include "../ipc/call.h"
#include "../ipc/session.h"
#include "services.h"

typedef struct service {
  const char *name;
  const hz_interface *interface;
  uint64_t number;
} service;

static const service services[] = {
#define HZ_SERVICE_ROW(name, interface, number) {name, &interface, number},
#include "list.h"
#undef HZ_SERVICE_ROW
};

/* What [stubs] makes of a service that nobody knows: it is there, and each command is unknown. */
static const hz_interface stub = {"stub", NULL, 0, NULL};

static hz_result register_client(hz_instance *self, hz_request *r) {
  (void)r;
  self->number = 1;
  return HZ_OK;
}

static hz_result unregistered(const char *name) {
  char text[32];
  snprintf(text, sizeof text, "service %s", name);
  return hz_unknown_service(text) ? HZ_OK : HZ_SM_NOT_REGISTERED;
}

/* libnx asks for the service without a name to learn whether it is registered already. */
static hz_result get_service(hz_instance *self, hz_request *r) {
  char name[9] = {0};
  const uint64_t packed = hz_get64(r, 0);
  memcpy(name, &packed, 8);
  if (!self->number) return HZ_SM_INVALID_CLIENT;
  if (!*name) return HZ_SM_INVALID_NAME;
  const hz_interface *interface = NULL;
  uint64_t number = 0;
  for (unsigned i = 0; i < sizeof services / sizeof *services && !interface; i++)
    if (strcmp(services[i].name, name) == 0) interface = services[i].interface, number = services[i].number;
  const hz_result result = interface ? HZ_OK : unregistered(name);
  if (result) return result;
  hz_give_move(r, hz_session_new(hz_instance_new(interface ? interface : &stub, NULL, number)));
  return HZ_OK;
}

/* Nobody may offer services here. */
static hz_result register_service(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return HZ_RESULT(21, 8); /* not allowed */
}

static const hz_command commands[] = {
    {0, "RegisterClient", register_client}, {1, "GetService", get_service},
    {2, "RegisterService", register_service}, {3, "UnregisterService", register_service},
    {4, "DetachClient", hz_success},
};

static HZ_INTERFACE(sm, "sm:", commands, NULL);

hz_instance *hz_named_port(const char *name) {
  return strcmp(name, "sm:") == 0 ? hz_instance_new(&sm, NULL, 0) : NULL;
}
