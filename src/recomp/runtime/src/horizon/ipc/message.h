/* The envelope of a message (HIPC), as it lies in a thread block. */
#ifndef HZ_MESSAGE_H
#define HZ_MESSAGE_H

#include "request.h"

enum {
  HZ_LEGACY_REQUEST = 1,
  HZ_CLOSE = 2,
  HZ_LEGACY_CONTROL = 3,
  HZ_REQUEST = 4,
  HZ_CONTROL = 5,
  HZ_REQUEST_WITH_CONTEXT = 6,
  HZ_CONTROL_WITH_CONTEXT = 7,
  HZ_TIPC_CLOSE = 15,
  HZ_TIPC_FIRST = 16, /* + the command */
};

typedef struct hz_message {
  uint32_t type;
  const uint8_t *data; /* the data words, at the next multiple of 16 unless it is a TIPC message */
  uint32_t data_size;
} hz_message;

/* Reads a message of HZ_MESSAGE_SIZE bytes: the envelope into `m`, buffers and handles into `r`. False = malformed. */
bool hz_message_read(const uint8_t *bytes, hz_message *m, hz_request *r);

/* Writes an envelope with handles and room for `size` bytes of payload; where the payload goes. */
uint8_t *hz_message_write(uint8_t *bytes, uint32_t type, const uint32_t *copied, uint32_t copied_count,
                          const uint32_t *moved, uint32_t moved_count, uint32_t size);

#endif
