/* Sessions and ports whose server is the program itself. Both sides are one process: messages are copied as they are. */
#ifndef HZ_GUEST_SESSION_H
#define HZ_GUEST_SESSION_H

#include "kthread.h"

extern const hz_kind hz_kind_client_session, hz_kind_server_session, hz_kind_client_port, hz_kind_server_port;

/* Sends the message at a guest address through the client's end, and waits until it is answered. */
hz_result hz_guest_send(hz_thread *t, hz_object *client, uint64_t addr);

/* A session to the port that the program itself has named; NULL = it named none so. */
hz_object *hz_guest_connect(const char *name);

#endif
