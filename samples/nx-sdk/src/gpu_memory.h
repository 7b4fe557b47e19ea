/* Memory that the display can read: objects of the map driver. */
#ifndef GPU_MEMORY_H
#define GPU_MEMORY_H

#include <nx/types.h>

nx_result nx_gpu_open(uint64_t user);
void nx_gpu_close(void);

/* Makes `size` bytes at `address` (pages) an object; its id goes where a buffer is described to the display. */
nx_result nx_gpu_share(void *address, uint32_t size, uint32_t kind, uint32_t *handle, uint32_t *id);
nx_result nx_gpu_free(uint32_t handle);

#endif
