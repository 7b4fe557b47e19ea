#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "../../end.h"
#include "call.h"
#include "message.h"

#define POINTER_BUFFER_SIZE 0x1000
#define IN_MAGIC 0x49434653u  /* "SFCI" */
#define OUT_MAGIC 0x4f434653u /* "SFCO" */
#define DOMAIN_OBJECTS 1024u

enum { CONVERT_TO_DOMAIN, COPY_FROM_DOMAIN, CLONE, QUERY_POINTER_BUFFER_SIZE, CLONE_EX };
enum { DOMAIN_SEND = 1, DOMAIN_CLOSE = 2 };

/* Objects that clones of a session share, numbered from 1. */
typedef struct domain {
  uint32_t references;
  hz_instance *objects[DOMAIN_OBJECTS];
} domain;

typedef struct session {
  hz_object object;
  hz_instance *instance;
  domain *domain; /* NULL = a session to one object */
} session;

static void destroy(hz_object *object) {
  session *s = (session *)object;
  if (s->domain && --s->domain->references == 0) {
    for (uint32_t i = 0; i < DOMAIN_OBJECTS; i++) hz_instance_drop(s->domain->objects[i]);
    free(s->domain);
  }
  hz_instance_drop(s->instance);
}

const hz_kind hz_kind_session = {"session", NULL, destroy};

hz_object *hz_session_new(hz_instance *instance) {
  session *s = hz_object_new(&hz_kind_session, sizeof *s);
  s->instance = instance;
  return &s->object;
}

/* An object's number in the domain; 0 = it is full. */
static uint32_t domain_add(domain *d, hz_instance *instance) {
  for (uint32_t id = 1; id < DOMAIN_OBJECTS; id++) {
    if (d->objects[id]) continue;
    d->objects[id] = instance;
    return id;
  }
  return 0;
}

static hz_instance *domain_get(const domain *d, uint32_t id) { return id < DOMAIN_OBJECTS ? d->objects[id] : NULL; }

static uint32_t word_at(const hz_message *m, uint32_t offset) {
  uint32_t value = 0;
  if (offset + 4 <= m->data_size) memcpy(&value, m->data + offset, 4);
  return value;
}

/* Handles for what the reply carries; where the table is full, the reply is that. */
static hz_result make_handles(hz_object *const *objects, uint32_t count, uint32_t *handles) {
  hz_result result = HZ_OK;
  for (uint32_t i = 0; i < count; i++) {
    if (!result) result = hz_handle_new(objects[i], &handles[i]);
    else hz_object_drop(objects[i]);
  }
  return result;
}

/* Writes the reply: in a domain objects are numbers behind the results, elsewhere sessions before the moved handles. */
static void reply(session *s, uint8_t *message, hz_request *r, hz_result result) {
  uint32_t copied[HZ_HANDLES], moved[HZ_HANDLES], ids[HZ_OBJECTS];
  hz_object *movable[HZ_HANDLES];
  uint32_t movable_count = 0;
  for (uint32_t i = 0; i < r->made_count; i++) {
    if (s->domain) ids[i] = domain_add(s->domain, r->made[i]);
    else movable[movable_count++] = hz_session_new(r->made[i]);
  }
  for (uint32_t i = 0; i < r->moved_count && movable_count < HZ_HANDLES; i++) movable[movable_count++] = r->moved[i];
  const hz_result problem = make_handles(movable, movable_count, moved), other = make_handles(r->copied, r->copied_count, copied);
  if (problem || other) result = problem ? problem : other, movable_count = r->copied_count = 0;
  if (result) r->result_size = 0;
  const uint32_t before = s->domain ? 16 : 0, id_count = s->domain ? r->made_count : 0;
  const uint32_t results_end = before + 16 + r->result_size;
  const uint32_t size = ((results_end + 3) & ~3u) + 4 * id_count;
  uint8_t *to = hz_message_write(message, 0, copied, r->copied_count, moved, movable_count, size);
  if (!to) rt_fail("a reply of %u bytes does not fit a message [this is a bug]", size);
  const uint32_t header[4] = {OUT_MAGIC, 0, result, 0};
  if (s->domain) memcpy(to, &id_count, 4);
  memcpy(to + before, header, sizeof header);
  memcpy(to + before + 16, r->results, r->result_size);
  memcpy(to + ((results_end + 3) & ~3u), ids, 4 * id_count);
}

static hz_result convert_to_domain(session *s, hz_request *r) {
  if (!s->domain) {
    s->domain = calloc(1, sizeof *s->domain);
    if (!s->domain) rt_fail("out of memory for a domain");
    s->domain->references = 1;
    domain_add(s->domain, hz_instance_keep(s->instance));
  }
  hz_put32(r, 1);
  return HZ_OK;
}

static hz_object *clone(const session *s) {
  session *other = (session *)hz_session_new(hz_instance_keep(s->instance));
  other->domain = s->domain;
  if (other->domain) other->domain->references++;
  return &other->object;
}

static hz_result control(session *s, const hz_message *m, hz_request *r) {
  switch (word_at(m, 8)) {
    case CONVERT_TO_DOMAIN: return convert_to_domain(s, r);
    case COPY_FROM_DOMAIN: {
      hz_instance *instance = s->domain ? domain_get(s->domain, word_at(m, 16)) : NULL;
      if (!instance) return HZ_SF_UNKNOWN_OBJECT;
      hz_give_move(r, hz_session_new(hz_instance_keep(instance)));
      return HZ_OK;
    }
    case CLONE:
    case CLONE_EX: hz_give_move(r, clone(s)); return HZ_OK;
    case QUERY_POINTER_BUFFER_SIZE: hz_put16(r, POINTER_BUFFER_SIZE); return HZ_OK;
    default: return HZ_SF_UNKNOWN_COMMAND;
  }
}

/* A control message's reply never has the form of a domain's. */
static void send_control(session *s, uint8_t *message, const hz_message *m, hz_request *r) {
  const hz_result result = control(s, m, r);
  domain *d = s->domain;
  s->domain = NULL;
  reply(s, message, r, result);
  s->domain = d;
}

static hz_result call(hz_instance *instance, hz_request *r, const hz_message *m, uint32_t at, uint32_t size) {
  if (size < 16 || word_at(m, at) != IN_MAGIC) return HZ_SF_BAD_HEADER;
  r->command = word_at(m, at + 8);
  r->arguments = m->data + at + 16;
  r->argument_size = size - 16;
  return hz_call(instance, r);
}

static hz_result send_to_domain(session *s, hz_request *r, const hz_message *m) {
  const uint32_t header = word_at(m, 0), id = word_at(m, 4), kind = header & 0xff, objects = header >> 8 & 0xff;
  const uint32_t size = header >> 16;
  hz_instance *instance = domain_get(s->domain, id);
  if (!instance) return HZ_SF_UNKNOWN_OBJECT;
  if (kind == DOMAIN_CLOSE) {
    s->domain->objects[id] = NULL;
    hz_instance_drop(instance);
    return HZ_OK;
  }
  if (kind != DOMAIN_SEND || size > m->data_size - 16 || objects > HZ_OBJECTS) return HZ_SF_BAD_HEADER;
  for (uint32_t i = 0; i < objects; i++) {
    r->objects[i] = domain_get(s->domain, word_at(m, 16 + size + 4 * i));
    if (!r->objects[i]) return HZ_SF_UNKNOWN_OBJECT;
  }
  r->object_count = objects;
  hz_instance_keep(instance);
  const hz_result result = call(instance, r, m, 16, size);
  hz_instance_drop(instance);
  return result;
}

static void send_tipc(session *s, uint8_t *message, const hz_message *m, hz_request *r) {
  uint32_t moved[HZ_HANDLES], result = HZ_OK;
  if (m->type != HZ_TIPC_CLOSE) {
    r->command = m->type - HZ_TIPC_FIRST;
    r->arguments = m->data;
    r->argument_size = m->data_size;
    result = hz_call(s->instance, r);
    for (uint32_t i = 0; i < r->made_count; i++) hz_give_move(r, hz_session_new(r->made[i]));
  }
  const hz_result problem = make_handles(r->moved, r->moved_count, moved);
  if (problem) result = problem, r->moved_count = 0;
  uint8_t *to = hz_message_write(message, m->type, NULL, 0, moved, r->moved_count, 4 + r->result_size);
  if (!to) rt_fail("a reply does not fit a message [this is a bug]");
  memcpy(to, &result, 4);
  memcpy(to + 4, r->results, r->result_size);
}

hz_result hz_session_send(hz_object *object, uint8_t *message) {
  session *s = (session *)object;
  uint8_t copy[HZ_MESSAGE_SIZE];
  hz_message m;
  static _Thread_local hz_request request;
  hz_request *r = memset(&request, 0, sizeof request);
  memcpy(copy, message, sizeof copy);
  if (!hz_message_read(copy, &m, r)) return HZ_INVALID_COMBINATION;
  if (m.type == HZ_CLOSE) return HZ_OK;
  if (m.type >= HZ_TIPC_CLOSE) {
    send_tipc(s, message, &m, r);
  } else if (m.type == HZ_CONTROL || m.type == HZ_CONTROL_WITH_CONTEXT) {
    send_control(s, message, &m, r);
  } else if (s->domain) {
    reply(s, message, r, m.data_size < 16 ? HZ_SF_BAD_HEADER : send_to_domain(s, r, &m));
  } else {
    reply(s, message, r, call(s->instance, r, &m, 0, m.data_size));
  }
  return HZ_OK;
}
