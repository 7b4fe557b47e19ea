#include "session.h"

#include <string.h>

#include "../../memory.h"
#include "svc.h"

#define MESSAGE_SIZE 0x100u
#define PORTS 16
#define NAME_SIZE 12
#define MOST_PENDING 16

/* What both ends of a session share. */
typedef struct link {
  hz_object object;
  bool client_open, server_open;
  hz_object *server; /* not counted: it lives while server_open */
  hz_thread *first;  /* who waits for an answer, in order */
  hz_thread *answering;
} link;

typedef struct end {
  hz_object object;
  link *link;
} end;

static const hz_kind link_kind = {"session's middle", NULL, NULL};

static void answer(hz_thread *client, hz_result result) {
  hz_thread_wake(client, result);
  hz_object_drop(client);
}

static void destroy_client(hz_object *object) {
  link *l = ((end *)object)->link;
  l->client_open = false;
  if (l->server_open) hz_thread_notice(l->server);
  hz_object_drop(l);
}

static void destroy_server(hz_object *object) {
  link *l = ((end *)object)->link;
  l->server_open = false;
  if (l->answering) answer(l->answering, HZ_SESSION_CLOSED);
  for (hz_thread *next; l->first; l->first = next) {
    next = l->first->next_request;
    answer(l->first, HZ_SESSION_CLOSED);
  }
  hz_object_drop(l);
}

static bool server_is_signalled(const hz_object *object) {
  const link *l = ((const end *)object)->link;
  return l->first || !l->client_open;
}

const hz_kind hz_kind_client_session = {"client session", NULL, destroy_client};
const hz_kind hz_kind_server_session = {"server session", server_is_signalled, destroy_server};

static void make_session(end **server, end **client) {
  link *l = hz_object_new(&link_kind, sizeof *l);
  *server = hz_object_new(&hz_kind_server_session, sizeof **server);
  *client = hz_object_new(&hz_kind_client_session, sizeof **client);
  l->client_open = l->server_open = true;
  l->server = &(*server)->object;
  (*server)->link = l;
  (*client)->link = hz_object_keep(l);
}

hz_result hz_guest_send(hz_thread *t, hz_object *client, uint64_t addr) {
  link *l = ((end *)client)->link;
  if (!l->server_open) return HZ_SESSION_CLOSED;
  t->address = addr;
  t->next_request = NULL;
  hz_thread **last = &l->first;
  while (*last) last = &(*last)->next_request;
  *last = hz_object_keep(t);
  hz_thread_notice(l->server);
  return hz_thread_wait(t, HZ_WAITS_ANSWER, hz_deadline(-1));
}

static hz_result reply(hz_thread *t, uint32_t target) {
  const end *server = hz_handle_get(target, &hz_kind_server_session);
  if (!server) return HZ_INVALID_HANDLE;
  hz_thread *client = server->link->answering;
  if (!client) return HZ_INVALID_STATE;
  server->link->answering = NULL;
  memcpy(rt_memory + client->address, rt_memory + t->tls, MESSAGE_SIZE);
  answer(client, HZ_OK);
  return HZ_OK;
}

/* The next request of a session that was signalled, into the server's thread block. */
static hz_result receive(hz_thread *t, link *l) {
  if (!l->first) return l->client_open ? HZ_NOT_FOUND : HZ_SESSION_CLOSED;
  if (l->answering) return HZ_INVALID_STATE;
  l->answering = l->first;
  l->first = l->first->next_request;
  memcpy(rt_memory + t->tls, rt_memory + l->answering->address, MESSAGE_SIZE);
  return HZ_OK;
}

hz_result hz_svc_create_session(hz_thread *t, uint64_t *x) {
  (void)t;
  end *server, *client;
  uint32_t server_handle = 0, client_handle = 0;
  make_session(&server, &client);
  const hz_result first = hz_handle_new(server, &server_handle), second = hz_handle_new(client, &client_handle);
  if (!first && second) hz_handle_close(server_handle);
  x[1] = server_handle;
  x[2] = client_handle;
  return first ? first : second;
}

hz_result hz_svc_reply_and_receive(hz_thread *t, uint64_t *x) {
  const uint64_t handles = x[1];
  const uint32_t target = (uint32_t)x[3];
  const hz_result replied = target ? reply(t, target) : HZ_OK;
  if (replied) return replied;
  uint64_t wait[4] = {0, handles, x[2], x[4]};
  const hz_result result = hz_svc_wait_synchronization(t, wait);
  x[1] = wait[1];
  if (result || (int32_t)x[2] == 0) return result;
  uint32_t handle = 0;
  rt_memory_get(&handle, handles + 4 * (uint32_t)wait[1], sizeof handle);
  const end *server = hz_handle_get(handle, &hz_kind_server_session);
  return server ? receive(t, server->link) : HZ_OK;
}

/* Ports: sessions that were asked for wait until they are accepted. */

typedef struct port {
  hz_object object;
  hz_object *pending[MOST_PENDING];
  uint32_t count;
  char name[NAME_SIZE + 1];
} port;

typedef struct client_port {
  hz_object object;
  port *port;
} client_port;

static port *named[PORTS];

static bool port_is_signalled(const hz_object *object) { return ((const port *)object)->count > 0; }

static void destroy_port(hz_object *object) {
  port *p = (port *)object;
  for (uint32_t i = 0; i < p->count; i++) hz_object_drop(p->pending[i]);
  for (int i = 0; i < PORTS; i++)
    if (named[i] == p) named[i] = NULL;
}

static void destroy_client_port(hz_object *object) { hz_object_drop(((client_port *)object)->port); }

const hz_kind hz_kind_server_port = {"server port", port_is_signalled, destroy_port};
const hz_kind hz_kind_client_port = {"client port", NULL, destroy_client_port};

static hz_object *connect(port *p) {
  end *server, *client;
  if (p->count == MOST_PENDING) return NULL;
  make_session(&server, &client);
  p->pending[p->count++] = &server->object;
  hz_thread_notice(&p->object);
  return &client->object;
}

hz_object *hz_guest_connect(const char *name) {
  for (int i = 0; i < PORTS; i++)
    if (named[i] && strcmp(named[i]->name, name) == 0) return connect(named[i]);
  return NULL;
}

hz_result hz_svc_accept_session(hz_thread *t, uint64_t *x) {
  (void)t;
  port *p = hz_handle_get((uint32_t)x[1], &hz_kind_server_port);
  if (!p) return HZ_INVALID_HANDLE;
  if (!p->count) return HZ_NOT_FOUND;
  hz_object *session = p->pending[0];
  memmove(p->pending, p->pending + 1, --p->count * sizeof *p->pending);
  uint32_t handle = 0;
  const hz_result result = hz_handle_new(session, &handle);
  x[1] = handle;
  return result;
}

hz_result hz_svc_create_port(hz_thread *t, uint64_t *x) {
  (void)t;
  uint32_t server_handle = 0, client_handle = 0;
  if ((int32_t)x[2] <= 0) return HZ_OUT_OF_RANGE;
  port *p = hz_object_new(&hz_kind_server_port, sizeof *p);
  client_port *client = hz_object_new(&hz_kind_client_port, sizeof *client);
  client->port = hz_object_keep(p);
  const hz_result first = hz_handle_new(p, &server_handle), second = hz_handle_new(client, &client_handle);
  if (!first && second) hz_handle_close(server_handle);
  x[1] = server_handle;
  x[2] = client_handle;
  return first ? first : second;
}

hz_result hz_svc_connect_to_port(hz_thread *t, uint64_t *x) {
  (void)t;
  const client_port *client = hz_handle_get((uint32_t)x[1], &hz_kind_client_port);
  if (!client) return HZ_INVALID_HANDLE;
  hz_object *session = connect(client->port);
  if (!session) return HZ_OUT_OF_SESSIONS;
  uint32_t handle = 0;
  const hz_result result = hz_handle_new(session, &handle);
  x[1] = handle;
  return result;
}

/* No sessions allowed = the name is given up. */
hz_result hz_svc_manage_named_port(hz_thread *t, uint64_t *x) {
  (void)t;
  const char *name = rt_memory_string(x[1], NAME_SIZE);
  if (!name) return HZ_OUT_OF_RANGE;
  int free = -1;
  for (int i = 0; i < PORTS; i++) {
    if (!named[i]) free = i;
    else if (strcmp(named[i]->name, name) == 0 && (int32_t)x[2] == 0) return named[i] = NULL, HZ_OK;
    else if (strcmp(named[i]->name, name) == 0) return HZ_INVALID_STATE;
  }
  if ((int32_t)x[2] <= 0) return HZ_NOT_FOUND;
  if (free < 0) return HZ_OUT_OF_MEMORY;
  port *p = hz_object_new(&hz_kind_server_port, sizeof *p);
  strcpy(p->name, name);
  uint32_t handle = 0;
  const hz_result result = hz_handle_new(p, &handle);
  if (!result) named[free] = p;
  x[1] = handle;
  return result;
}
