#include "call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../../end.h"
#include "../../options.h"
#include "../../record.h"
#include "rt.h"
#include "rt_stubs.h"

static const hz_command *find(const hz_interface *interface, uint32_t id) {
  for (uint32_t i = 0; i < interface->command_count; i++)
    if (interface->commands[i].id == id) return &interface->commands[i];
  return NULL;
}

/* What title.toml says about a name; NULL = nothing. */
static const char *stub_of(const char *name) {
  for (uint32_t i = 0; i < rt_guest.stub_count; i++)
    if (strcmp(rt_guest.stubs[i].name, name) == 0) return rt_guest.stubs[i].action;
  return NULL;
}

/* Acts as the stub says; true = the call succeeds, with zeros. */
static bool act(const char *name, const hz_request *r) {
  const char *action = stub_of(name);
  if (!action) return false;
  if (strcmp(action, "panic") == 0) rt_stub_panic(name);
  if (strcmp(action, "log") == 0)
    rt_stub_log(name, r ? 2 : 0, r ? hz_get64(r, 0) : 0, r ? hz_get64(r, 8) : 0);
  return true;
}

#define ZEROS 32

static hz_result unknown(const hz_instance *instance, hz_request *r) {
  static const uint8_t zeros[ZEROS];
  char name[96];
  snprintf(name, sizeof name, "%s:%" PRIu32, instance->interface->name, r->command);
  rt_record_unknown_name(name);
  if (!act(name, r)) return HZ_SF_UNKNOWN_COMMAND;
  hz_put_bytes(r, zeros, sizeof zeros);
  return HZ_OK;
}

hz_result hz_call(hz_instance *instance, hz_request *r) {
  const hz_command *command = find(instance->interface, r->command);
  const hz_result result = command ? command->handle(instance, r) : unknown(instance, r);
  if (rt_opt.trace)
    fprintf(stderr, "%s:%" PRIu32 " %s = %#x\n", instance->interface->name, r->command,
            command ? command->name : "?", result);
  return result;
}

bool hz_unknown_service(const char *name) {
  rt_record_unknown_name(name);
  return act(name, NULL);
}
