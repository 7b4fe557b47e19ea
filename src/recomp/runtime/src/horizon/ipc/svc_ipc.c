/* The calls that programs reach services through. */
#include <string.h>

#include "../../memory.h"
#include "../kernel/session.h"
#include "../kernel/svc.h"
#include "../services/services.h"
#include "session.h"

#define PORT_NAME_SIZE 12

hz_result hz_svc_connect_to_named_port(hz_thread *t, uint64_t *x) {
  (void)t;
  const char *name = rt_memory_string(x[1], PORT_NAME_SIZE);
  if (!name) return rt_memory_allows(x[1], 1, RT_READ) ? HZ_OUT_OF_RANGE : HZ_INVALID_POINTER;
  hz_instance *instance = hz_named_port(name);
  hz_object *session = instance ? hz_session_new(instance) : hz_guest_connect(name);
  if (!session) return HZ_NOT_FOUND;
  uint32_t handle = 0;
  const hz_result result = hz_handle_new(session, &handle);
  x[1] = handle;
  return result;
}

static hz_result send(hz_thread *t, uint32_t handle, uint64_t addr) {
  hz_object *session = hz_handle_get(handle, &hz_kind_session), *own = hz_handle_get(handle, &hz_kind_client_session);
  if (!session && !own) return HZ_INVALID_HANDLE;
  uint8_t *message = rt_memory_at(addr, HZ_MESSAGE_SIZE, RT_READ | RT_WRITE);
  if (!message) return HZ_INVALID_STATE_OF_MEMORY;
  if (own) return hz_guest_send(t, own, addr);
  hz_object_keep(session); /* another thread may close the handle meanwhile */
  const hz_result result = hz_session_send(session, message);
  hz_object_drop(session);
  return result;
}

hz_result hz_svc_send_sync_request(hz_thread *t, uint64_t *x) { return send(t, (uint32_t)x[0], t->tls); }

hz_result hz_svc_send_sync_request_with_buffer(hz_thread *t, uint64_t *x) {
  if (x[0] % RT_PAGE) return HZ_INVALID_ADDRESS;
  if (!x[1] || x[1] % RT_PAGE) return HZ_INVALID_SIZE;
  return send(t, (uint32_t)x[2], x[0]);
}
