/* A program that is its own server: a session, a port, a named port; then ends that are gone. */
#include "guest.h"

#define HANDLES (DATA + 0x100)

static uint32_t put_handle(rt_cpu *c, uint32_t handle) {
  memcpy(at(c, HANDLES), &handle, 4);
  return HANDLES;
}

/* Waits for one signalled object; the result. */
static uint32_t receive(rt_cpu *c, uint32_t handle, uint32_t reply_to, int64_t timeout) {
  X(c, 0, put_handle(c, handle), 1, reply_to, (uint64_t)timeout);
  return svc(c, 0x43);
}

/* The server: answers three messages with their first word doubled. */
GUEST(server) {
  const uint32_t session = (uint32_t)c->x[0] & 0xffffff, own = session ? *(uint32_t *)at(c, DATA + 0x200) : 0;
  uint32_t *message = at(c, c->tpidrro_el0), reply_to = 0;
  for (int i = 0; i < 3; i++) {
    EXPECT(c, receive(c, own, reply_to, -1) == 0);
    EXPECT(c, c->x[1] == 0);
    message[0] *= 2;
    reply_to = own;
  }
  X(c, 0, HANDLES, 0, reply_to, 0);
  EXPECT(c, svc(c, 0x43) == KERNEL(117)); /* answered; nothing to wait for */
  EXPECT(c, receive(c, own, 0, -1) == KERNEL(123)); /* the client has gone */
  X(c, own);
  EXPECT(c, svc(c, 0x16) == 0);
  svc(c, 0x0a);
  return 0;
}

static uint32_t send(rt_cpu *c, uint32_t session, uint32_t value) {
  *(uint32_t *)at(c, c->tpidrro_el0) = value;
  X(c, session);
  const uint32_t result = svc(c, 0x21);
  EXPECT(c, result || *(uint32_t *)at(c, c->tpidrro_el0) == 2 * value);
  return result;
}

static void talk(rt_cpu *c, uint32_t server_end, uint32_t client_end) {
  *(uint32_t *)at(c, DATA + 0x200) = server_end;
  const uint32_t thread = start_thread(c, TEXT + 4, 1, 44);
  for (uint32_t i = 1; i <= 3; i++) EXPECT(c, send(c, client_end, 10 * i) == 0);
  X(c, client_end);
  EXPECT(c, svc(c, 0x16) == 0);
  X(c, 0, put_handle(c, thread), 1, ~UINT64_C(0));
  EXPECT(c, svc(c, 0x18) == 0); /* joined */
}

GUEST(run) {
  X(c, 0, 0, 0, 0);
  EXPECT(c, svc(c, 0x40) == 0);
  talk(c, (uint32_t)c->x[1], (uint32_t)c->x[2]);

  X(c, 0, 0, 2, 0, 0);
  EXPECT(c, svc(c, 0x70) == 0);
  const uint32_t server_port = (uint32_t)c->x[1], client_port = (uint32_t)c->x[2];
  X(c, 0, server_port);
  EXPECT(c, svc(c, 0x41) == KERNEL(121)); /* nobody has asked */
  X(c, 0, client_port);
  EXPECT(c, svc(c, 0x72) == 0);
  const uint32_t client = (uint32_t)c->x[1];
  EXPECT(c, receive(c, server_port, 0, 0) == 0);
  X(c, 0, server_port);
  EXPECT(c, svc(c, 0x41) == 0);
  talk(c, (uint32_t)c->x[1], client);

  strcpy(at(c, DATA + 0x300), "mine");
  X(c, 0, DATA + 0x300);
  EXPECT(c, svc(c, 0x1f) == KERNEL(121));
  X(c, 0, DATA + 0x300, 1);
  EXPECT(c, svc(c, 0x71) == 0);
  const uint32_t named = (uint32_t)c->x[1];
  X(c, 0, DATA + 0x300, 1);
  EXPECT(c, svc(c, 0x71) == KERNEL(125));
  X(c, 0, DATA + 0x300);
  EXPECT(c, svc(c, 0x1f) == 0);
  const uint32_t last = (uint32_t)c->x[1];
  X(c, 0, named);
  EXPECT(c, svc(c, 0x41) == 0);
  X(c, c->x[1]);
  EXPECT(c, svc(c, 0x16) == 0);
  EXPECT(c, send(c, last, 1) == KERNEL(123)); /* the server has gone */
  X(c, 0xdead);
  EXPECT(c, svc(c, 0x21) == KERNEL(114));
  puts("sessions answered");
  fflush(stdout);
  c->x[0] = 0;
  return rt_call_indirect(c, TEXT, 0x03000000);
}

GUEST_MODULE({TEXT + 4, TEXT + 4, server});
