/* Memory that is seen at several places: shared memory, of ours or the guest's, and transfer memory. */
#ifndef HZ_SHARED_MEMORY_H
#define HZ_SHARED_MEMORY_H

#include "object.h"

typedef struct hz_shared {
  hz_object object;
  uint64_t size;
  int fd;
  uint8_t *bytes;       /* the host's own view, writable */
  int guest_permission; /* the most that the guest may map it with */
} hz_shared;

typedef struct hz_transfer {
  hz_object object;
  uint64_t addr, size;
} hz_transfer;

extern const hz_kind hz_kind_shared, hz_kind_transfer;

hz_shared *hz_shared_new(uint64_t size, int guest_permission);

/* Into the guest's memory, which is free there. */
void hz_shared_map(const hz_shared *shared, uint64_t addr, int permission);

#endif
