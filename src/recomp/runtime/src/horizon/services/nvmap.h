/* Memory that programs register for graphics; it stays where it is in theirs. */
#ifndef HZ_NVMAP_H
#define HZ_NVMAP_H

#include <stdbool.h>
#include <stdint.h>

/* Where the object with an id begins, and its size; false = there is none, or it has no memory yet. */
bool hz_nvmap_find(uint32_t id, uint64_t *addr, uint64_t *size);

/* An ioctl of /dev/nvmap on `size` bytes at `data`; nvdrv's error number. */
uint32_t hz_nvmap_ioctl(uint32_t request, uint8_t *data, uint32_t size);

#endif
