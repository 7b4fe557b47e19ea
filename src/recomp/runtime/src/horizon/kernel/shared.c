#define _GNU_SOURCE
#include "shared.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../end.h"
#include "../../memory.h"
#include "blocks.h"

static void destroy_shared(hz_object *object) {
  hz_shared *shared = (hz_shared *)object;
  munmap(shared->bytes, shared->size);
  close(shared->fd);
}

/* The owner has its memory back. */
static void destroy_transfer(hz_object *object) {
  const hz_transfer *transfer = (const hz_transfer *)object;
  hz_protect(transfer->addr, transfer->size, RT_READ | RT_WRITE, 0);
}

const hz_kind hz_kind_shared = {"shared memory", NULL, destroy_shared};
const hz_kind hz_kind_transfer = {"transfer memory", NULL, destroy_transfer};

hz_shared *hz_shared_new(uint64_t size, int guest_permission) {
  hz_shared *shared = hz_object_new(&hz_kind_shared, sizeof *shared);
  shared->size = size;
  shared->guest_permission = guest_permission;
  shared->fd = memfd_create("horizon shared memory", MFD_CLOEXEC);
  if (shared->fd < 0 || ftruncate(shared->fd, (off_t)size)) rt_fail("cannot make shared memory: %s", strerror(errno));
  shared->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, shared->fd, 0);
  if (shared->bytes == MAP_FAILED) rt_fail("cannot map shared memory: %s", strerror(errno));
  return shared;
}

void hz_shared_map(const hz_shared *shared, uint64_t addr, int permission) {
  int problem = rt_memory_map_fd((uint32_t)addr, shared->size, permission, true, shared->fd, 0);
  if (problem) rt_fail("the host cannot map shared memory: %s", strerror(problem));
  hz_blocks_set(addr, shared->size, HZ_SHARED, permission, 0);
}
