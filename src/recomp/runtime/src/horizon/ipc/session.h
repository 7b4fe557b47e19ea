/* Sessions to services: requests, control messages, domains. */
#ifndef HZ_SESSION_H
#define HZ_SESSION_H

#include "request.h"

/* A session that talks to one object; takes over the caller's reference to it. */
hz_object *hz_session_new(hz_instance *instance);

extern const hz_kind hz_kind_session;

/* Sends the HZ_MESSAGE_SIZE bytes at `message`, and puts the reply there. */
hz_result hz_session_send(hz_object *session, uint8_t *message);

#endif
