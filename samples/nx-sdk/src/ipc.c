/* Builds a request in the thread's message buffer, sends it, and reads the answer. */
#include <nx/ipc.h>
#include <nx/process.h>
#include <nx/svc.h>
#include <string.h>

enum { TYPE_CLOSE = 2, TYPE_REQUEST = 4, TYPE_CONTROL = 5, DOMAIN_SEND = 1, DOMAIN_CLOSE = 2 };
enum { REQUEST_MAGIC = 0x49434653, REPLY_MAGIC = 0x4F434653, MESSAGE_WORDS = 64, ALIGNMENT_WORDS = 4 };

struct cmif {
    uint32_t magic, version, command, token;
};

struct domain_header {
    uint8_t type, objects;
    uint16_t size;
    uint32_t object, zero, token;
};

extern void *nx_thread_block(void);

/* ---- request ---------------------------------------------------------------------------------------------------- */

struct lists {
    struct nx_buffer sends[NX_MAX_BUFFERS], receives[NX_MAX_BUFFERS];         /* A, B */
    struct nx_buffer statics[NX_MAX_BUFFERS], receive_statics[NX_MAX_BUFFERS]; /* X, C */
    uint16_t sizes[NX_MAX_BUFFERS];                                            /* of C entries the server must be told */
    int send_count, receive_count, static_count, receive_static_count, size_count;
};

/* Whether an auto-select buffer goes through the pointer buffer; `left` is what is left of that. */
static bool fits_pointer(const struct nx_buffer *b, size_t *left)
{
    if (b->size > *left) return false;
    *left -= b->size;
    return true;
}

static void sort_in(struct lists *l, const struct nx_buffer *b, size_t *left)
{
    static const struct nx_buffer none;
    bool pointer = b->kind & NX_AUTO ? fits_pointer(b, left) : (b->kind & NX_POINTER) != 0;
    if (pointer || b->kind & NX_AUTO) l->statics[l->static_count++] = pointer ? *b : none;
    if (!pointer || b->kind & NX_AUTO) l->sends[l->send_count++] = pointer ? none : *b;
}

static void sort_out(struct lists *l, const struct nx_buffer *b, size_t *left)
{
    static const struct nx_buffer none;
    bool pointer = b->kind & NX_AUTO ? fits_pointer(b, left) : (b->kind & NX_POINTER) != 0;
    if (pointer || b->kind & NX_AUTO) {
        l->receive_statics[l->receive_static_count++] = pointer ? *b : none;
        if (!(b->kind & NX_FIXED)) l->sizes[l->size_count++] = pointer ? (uint16_t)b->size : 0;
    }
    if (!pointer || b->kind & NX_AUTO) l->receives[l->receive_count++] = pointer ? none : *b;
}

static struct lists sort_buffers(const struct nx_request *r, size_t pointer_size)
{
    struct lists l = {0};
    for (const struct nx_buffer *b = r->buffers; b < r->buffers + NX_MAX_BUFFERS && b->kind; b++)
        if (b->kind & NX_IN) sort_in(&l, b, &pointer_size);
        else sort_out(&l, b, &pointer_size);
    return l;
}

static uint32_t *put_static(uint32_t *at, const struct nx_buffer *b, unsigned index)
{
    uint64_t address = (uint64_t)(uintptr_t)b->data;
    *at++ = index | (uint32_t)(address >> 36 & 0x3F) << 6 | (uint32_t)(address >> 32 & 15) << 12 | (uint32_t)b->size << 16;
    *at++ = (uint32_t)address;
    return at;
}

static uint32_t *put_mapped(uint32_t *at, const struct nx_buffer *b)
{
    uint64_t address = (uint64_t)(uintptr_t)b->data;
    *at++ = (uint32_t)b->size;
    *at++ = (uint32_t)address;
    *at++ = (uint32_t)(address >> 36 & 0x3FFFFF) << 2 | (uint32_t)((uint64_t)b->size >> 32 & 15) << 24 |
            (uint32_t)(address >> 32 & 15) << 28;
    return at;
}

static uint32_t *put_receive_static(uint32_t *at, const struct nx_buffer *b)
{
    uint64_t address = (uint64_t)(uintptr_t)b->data;
    *at++ = (uint32_t)address;
    *at++ = (uint32_t)(address >> 32 & 0xFFFF) | (uint32_t)b->size << 16;
    return at;
}

static uint32_t *put_special(uint32_t *at, const struct nx_request *r)
{
    *at++ = (r->send_pid ? 1 : 0) | (uint32_t)r->copy_count << 1;
    if (r->send_pid) {
        at[0] = at[1] = 0;
        at += 2;
    }
    for (int i = 0; i < r->copy_count; i++) *at++ = r->copies[i];
    return at;
}

/* Header and descriptors; returns where the data words begin. */
static uint32_t *put_envelope(uint32_t *message, uint32_t type, const struct nx_request *r, const struct lists *l,
                              size_t data_words)
{
    bool special = r->send_pid || r->copy_count;
    message[0] = type | (uint32_t)l->static_count << 16 | (uint32_t)l->send_count << 20 | (uint32_t)l->receive_count << 24;
    message[1] = (uint32_t)data_words | (l->receive_static_count ? (uint32_t)(2 + l->receive_static_count) << 10 : 0) |
                 (uint32_t)special << 31;
    uint32_t *at = message + 2;
    if (special) at = put_special(at, r);
    for (int i = 0; i < l->static_count; i++) at = put_static(at, &l->statics[i], (unsigned)i);
    for (int i = 0; i < l->send_count; i++) at = put_mapped(at, &l->sends[i]);
    for (int i = 0; i < l->receive_count; i++) at = put_mapped(at, &l->receives[i]);
    return at;
}

static uint32_t *align_payload(uint32_t *at)
{
    return (uint32_t *)(((uintptr_t)at + 15) & ~(uintptr_t)15);
}

static void put_request(const struct nx_service *service, uint32_t type, const struct nx_request *r)
{
    uint32_t *message = nx_thread_block();
    memset(message, 0, MESSAGE_WORDS * sizeof *message);
    struct lists l = sort_buffers(r, service->pointer_size);
    bool domain = service->object != 0 && type == TYPE_REQUEST;
    size_t payload = sizeof(struct cmif) + r->in_size, tables = ((size_t)l.size_count * 2 + 3) & ~(size_t)3;
    size_t bytes = 16 + (domain ? sizeof(struct domain_header) : 0) + ((payload + 3) & ~(size_t)3) + tables;
    uint32_t *data = put_envelope(message, type, r, &l, bytes / 4);
    char *at = (char *)align_payload(data);
    if (domain) {
        struct domain_header header = {DOMAIN_SEND, 0, (uint16_t)payload, service->object, 0, 0};
        memcpy(at, &header, sizeof header);
        at += sizeof header;
    }
    struct cmif header = {REQUEST_MAGIC, 0, r->command, 0};
    memcpy(at, &header, sizeof header);
    if (r->in_size) memcpy(at + sizeof header, r->in, r->in_size);
    memcpy(at + ((payload + 1) & ~(size_t)1), l.sizes, (size_t)l.size_count * 2);
    uint32_t *entries = data + bytes / 4;
    for (int i = 0; i < l.receive_static_count; i++) entries = put_receive_static(entries, &l.receive_statics[i]);
}

/* ---- reply ------------------------------------------------------------------------------------------------------ */

struct reply {
    nx_handle copied[NX_MAX_HANDLES], moved[NX_MAX_HANDLES];
    int copied_count, moved_count;
    const char *payload;
};

static struct reply read_envelope(void)
{
    uint32_t *message = nx_thread_block(), *at = message + 2;
    struct reply reply = {0};
    if (message[1] >> 31) {
        uint32_t special = *at++;
        if (special & 1) at += 2;
        int copies = (int)(special >> 1 & 15), moves = (int)(special >> 5 & 15);
        for (int i = 0; i < copies; i++, at++)
            if (i < NX_MAX_HANDLES) reply.copied[reply.copied_count++] = *at;
        for (int i = 0; i < moves; i++, at++)
            if (i < NX_MAX_HANDLES) reply.moved[reply.moved_count++] = *at;
    }
    at += (message[0] >> 16 & 15) * 2;
    reply.payload = (const char *)align_payload(at);
    return reply;
}

static nx_result take_object(struct nx_service *parent, struct nx_request *r, const struct reply *reply,
                             const char *after)
{
    struct nx_service *object = r->object;
    *object = (struct nx_service){.pointer_size = parent->pointer_size};
    if (parent->object) {
        memcpy(&object->object, after, sizeof object->object);
        object->session = parent->session;
        object->borrowed = true;
        return object->object ? 0 : NX_ERROR_REPLY;
    }
    object->session = reply->moved[0];
    return object->session ? 0 : NX_ERROR_REPLY;
}

static nx_result read_reply(struct nx_service *service, uint32_t type, struct nx_request *r)
{
    struct reply reply = read_envelope();
    struct cmif header;
    const char *at = reply.payload + (service->object && type == TYPE_REQUEST ? sizeof(struct domain_header) : 0);
    memcpy(&header, at, sizeof header);
    if (header.magic != REPLY_MAGIC) return NX_ERROR_REPLY;
    if (header.command) return header.command; /* where a request has its command, a reply has its result */
    at += sizeof header;
    if (r->out_size) memcpy(r->out, at, r->out_size);
    memcpy(r->copied, reply.copied, sizeof r->copied);
    memcpy(r->moved, reply.moved, sizeof r->moved);
    return r->object ? take_object(service, r, &reply, at + r->out_size) : 0;
}

static nx_result exchange(struct nx_service *service, uint32_t type, struct nx_request *r)
{
    put_request(service, type, r);
    NX_TRY(nx_send_request(service->session));
    return read_reply(service, type, r);
}

nx_result nx_call(struct nx_service *service, struct nx_request *request)
{
    return exchange(service, TYPE_REQUEST, request);
}

nx_result nx_call_plain(struct nx_service *service, uint32_t command, const void *in, size_t in_size)
{
    struct nx_request r = {.command = command, .in = in, .in_size = in_size};
    return nx_call(service, &r);
}

nx_result nx_call_out(struct nx_service *service, uint32_t command, void *out, size_t out_size)
{
    struct nx_request r = {.command = command, .out = out, .out_size = out_size};
    return nx_call(service, &r);
}

nx_result nx_call_object(struct nx_service *service, uint32_t command, struct nx_service *object)
{
    struct nx_request r = {.command = command, .object = object};
    return nx_call(service, &r);
}

nx_result nx_call_handle(struct nx_service *service, uint32_t command, nx_handle *copied)
{
    struct nx_request r = {.command = command};
    NX_TRY(nx_call(service, &r));
    *copied = r.copied[0];
    return *copied ? 0 : NX_ERROR_REPLY;
}

/* ---- control ---------------------------------------------------------------------------------------------------- */

nx_result nx_make_domain(struct nx_service *service)
{
    struct nx_request r = {.command = 0, .out = &service->object, .out_size = sizeof service->object};
    return exchange(service, TYPE_CONTROL, &r);
}

nx_result nx_clone(struct nx_service *service, struct nx_service *copy)
{
    struct nx_request r = {.command = 2};
    NX_TRY(exchange(service, TYPE_CONTROL, &r));
    *copy = (struct nx_service){r.moved[0], service->object, service->pointer_size, false};
    return copy->session ? 0 : NX_ERROR_REPLY;
}

nx_result nx_query_pointer_size(struct nx_service *service)
{
    struct nx_request r = {.command = 3, .out = &service->pointer_size, .out_size = sizeof service->pointer_size};
    return exchange(service, TYPE_CONTROL, &r);
}

/* Closes an object of a domain: a domain header without a payload behind it. */
static void close_object(const struct nx_service *service)
{
    static const struct nx_request nothing;
    static const struct lists none;
    uint32_t *message = nx_thread_block();
    memset(message, 0, MESSAGE_WORDS * sizeof *message);
    struct domain_header header = {DOMAIN_CLOSE, 0, 0, service->object, 0, 0};
    uint32_t *data = put_envelope(message, TYPE_REQUEST, &nothing, &none, ALIGNMENT_WORDS + sizeof header / 4);
    memcpy(align_payload(data), &header, sizeof header);
    nx_send_request(service->session);
}

void nx_close(struct nx_service *service)
{
    if (!service->session) return;
    if (service->borrowed) {
        close_object(service);
    } else {
        uint32_t *message = nx_thread_block();
        memset(message, 0, MESSAGE_WORDS * sizeof *message);
        message[0] = TYPE_CLOSE;
        nx_send_request(service->session);
        nx_close_handle(service->session);
    }
    *service = (struct nx_service){0};
}

/* ---- service manager -------------------------------------------------------------------------------------------- */

static struct nx_service manager;

nx_result nx_manager_open(void)
{
    if (manager.session) return 0;
    NX_TRY(nx_connect_port(&manager.session, "sm:"));
    uint64_t placeholder = 0;
    struct nx_request r = {.in = &placeholder, .in_size = sizeof placeholder, .send_pid = true};
    return nx_call(&manager, &r);
}

static uint64_t pack_name(const char *name)
{
    uint64_t packed = 0;
    for (int i = 0; i < 8 && name[i]; i++) packed |= (uint64_t)(uint8_t)name[i] << 8 * i;
    return packed;
}

nx_result nx_get_service(struct nx_service *service, const char *name)
{
    NX_TRY(nx_manager_open());
    uint64_t packed = pack_name(name);
    *service = (struct nx_service){0};
    for (int i = 0; i < nx_environment.override_count; i++)
        if (nx_environment.overrides[i].name == packed) {
            service->session = nx_environment.overrides[i].handle;
            return 0;
        }
    struct nx_request r = {.command = 1, .in = &packed, .in_size = sizeof packed, .object = service};
    NX_TRY(nx_call(&manager, &r));
    return nx_query_pointer_size(service);
}

void nx_manager_close(void)
{
    nx_close(&manager);
}
