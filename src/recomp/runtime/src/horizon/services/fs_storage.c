/* IStorage: the program's RomFS as bytes, as a program that is no NRO gets it. */
#include "fs.h"

static hz_result read_storage(hz_instance *self, hz_request *r) {
  (void)self;
  const int64_t offset = (int64_t)hz_get64(r, 0);
  uint64_t size = hz_get64(r, 8);
  const uint64_t total = hz_romfs_size();
  if (r->out_count && size > r->out[0].size) size = r->out[0].size;
  if (offset < 0 || (uint64_t)offset > total || size > total - (uint64_t)offset) return HZ_FS_INVALID_OFFSET;
  uint8_t *to = size ? hz_out(r, 0, size) : NULL;
  if (size && !to) return HZ_INVALID_STATE_OF_MEMORY;
  if (size) hz_romfs_read(to, (uint64_t)offset, size);
  return HZ_OK;
}

static hz_result get_size(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, hz_romfs_size());
  return HZ_OK;
}

static const hz_command storage_commands[] = {{0, "Read", read_storage}, {4, "GetSize", get_size}};
static HZ_INTERFACE(storage, "fs.IStorage", storage_commands, NULL);

hz_instance *hz_storage_new(void) { return hz_instance_new(&storage, NULL, 0); }
