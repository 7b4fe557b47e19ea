/* The program's end of a buffer queue: transactions with the compositor by parcels. */
#ifndef PRODUCER_H
#define PRODUCER_H

#include <nx/ipc.h>

enum { PRODUCER_WOULD_BLOCK = -11 };

struct nx_producer {
    struct nx_service relay;
    int32_t binder;
    nx_handle event; /* signalled while a buffer can be had */
};

struct nx_buffer_shape {
    uint32_t width, height, stride /* pixels */, pitch /* bytes */, bytes;
    uint32_t format, map_id, offset;
    uint64_t color_format;
};

nx_result nx_producer_open(struct nx_producer *p, int32_t binder);
void nx_producer_close(struct nx_producer *p);
nx_result nx_producer_offer(struct nx_producer *p, int slot, const struct nx_buffer_shape *shape);

/* The slot, or a negative status such as PRODUCER_WOULD_BLOCK. */
nx_result nx_producer_dequeue(struct nx_producer *p, const struct nx_buffer_shape *shape, int *slot);
nx_result nx_producer_request(struct nx_producer *p, int slot);
nx_result nx_producer_queue(struct nx_producer *p, int slot);

#endif
