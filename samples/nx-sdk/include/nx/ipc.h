/* Requests to services: HIPC envelope, CMIF payload, domains.
 *
 *     uint64_t id = 0;
 *     struct nx_request r = {.command = 1, .out = &id, .out_size = sizeof id};
 *     NX_TRY(nx_call(&service, &r));
 */
#ifndef NX_IPC_H
#define NX_IPC_H

#include "types.h"

/* An object to send requests to: a session of its own, or an object within a domain's session. */
struct nx_service {
    nx_handle session;
    uint32_t object;       /* in a domain; 0 = none */
    uint16_t pointer_size; /* of the server's pointer buffer */
    bool borrowed;         /* of another's session: closing closes the object only */
};

enum nx_buffer_kind {
    NX_IN = 1,
    NX_OUT = 2,
    NX_ALIAS = 4,    /* mapped: A and B descriptors */
    NX_POINTER = 8,  /* copied through the server's pointer buffer: X and C descriptors */
    NX_AUTO = 16,    /* pointer where it fits, else alias; both descriptors are sent */
    NX_FIXED = 32,   /* out pointer whose size the server knows */
};

struct nx_buffer {
    const void *data;
    size_t size;
    unsigned kind;
};

enum { NX_MAX_BUFFERS = 4, NX_MAX_HANDLES = 4 };

struct nx_request {
    uint32_t command;
    const void *in;
    size_t in_size;
    void *out;
    size_t out_size;
    struct nx_buffer buffers[NX_MAX_BUFFERS];
    nx_handle copies[NX_MAX_HANDLES];
    int copy_count;
    bool send_pid;
    /* Filled by the call. */
    nx_handle copied[NX_MAX_HANDLES], moved[NX_MAX_HANDLES];
    struct nx_service *object; /* where the object that the command returns goes, or NULL */
};

/* The service's result; NX_ERROR_REPLY where the answer is no answer. */
nx_result nx_call(struct nx_service *service, struct nx_request *request);

/* The most usual shapes. */
nx_result nx_call_plain(struct nx_service *service, uint32_t command, const void *in, size_t in_size);
nx_result nx_call_out(struct nx_service *service, uint32_t command, void *out, size_t out_size);
nx_result nx_call_object(struct nx_service *service, uint32_t command, struct nx_service *object);
nx_result nx_call_handle(struct nx_service *service, uint32_t command, nx_handle *copied);

/* Session control. */
nx_result nx_make_domain(struct nx_service *service);
nx_result nx_clone(struct nx_service *service, struct nx_service *copy);
nx_result nx_query_pointer_size(struct nx_service *service);
void nx_close(struct nx_service *service);

/* The service manager. */
nx_result nx_manager_open(void);
nx_result nx_get_service(struct nx_service *service, const char *name);
void nx_manager_close(void);

#endif
