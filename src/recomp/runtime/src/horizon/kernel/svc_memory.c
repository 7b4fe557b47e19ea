/* Memory calls. Which pages may be used for what, and in which order a call complains, is as the kernel does it. */
#include <stdlib.h>
#include <string.h>

#include "../../end.h"
#include "../../memory.h"
#include "../layout.h"
#include "blocks.h"
#include "memory_calls.h"
#include "shared.h"
#include "svc.h"

#define HEAP_STEP 0x200000u
#define ANYTHING 0x10000000u /* "whatever the other side has" */

static uint64_t heap_size;
uint64_t hz_heap_size(void) { return heap_size; }

void hz_heap_init(uint64_t size) {
  if (size) hz_map(HZ_HEAP_BASE, size, HZ_HEAP, RT_READ | RT_WRITE);
  heap_size = size;
}

static bool is_page(uint64_t n) { return n % RT_PAGE == 0; }

/* What every call asks of a range first. */
static hz_result check_range(uint64_t addr, uint64_t size) {
  if (!is_page(addr)) return HZ_INVALID_ADDRESS;
  if (!size || !is_page(size)) return HZ_INVALID_SIZE;
  return addr + size <= addr || addr + size > RT_SPACE ? HZ_INVALID_STATE_OF_MEMORY : HZ_OK;
}

static bool is_in(uint64_t addr, uint64_t size, uint64_t base, uint64_t region_size) {
  return addr >= base && size <= region_size && addr - base <= region_size - size;
}

hz_result hz_svc_set_heap_size(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint64_t size = x[1];
  if (size % HEAP_STEP) return HZ_INVALID_SIZE;
  if (size > HZ_HEAP_SIZE) return HZ_OUT_OF_MEMORY;
  if (size > heap_size) hz_map(HZ_HEAP_BASE + heap_size, size - heap_size, HZ_HEAP, RT_READ | RT_WRITE);
  if (size < heap_size) {
    if (!hz_blocks_are(HZ_HEAP_BASE + size, heap_size - size, HZ_HEAP, RT_READ | RT_WRITE, 0))
      return HZ_INVALID_STATE_OF_MEMORY;
    hz_unmap(HZ_HEAP_BASE + size, heap_size - size);
  }
  heap_size = size;
  x[1] = HZ_HEAP_BASE;
  return HZ_OK;
}

static bool may_reprotect(uint64_t addr, uint64_t size) {
  return hz_blocks_are(addr, size, HZ_HEAP, -1, 0) || hz_blocks_are(addr, size, HZ_CODE_DATA, -1, 0);
}

hz_result hz_svc_set_memory_permission(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint32_t permission = (uint32_t)x[2];
  const hz_result problem = check_range(x[0], x[1]);
  if (problem) return problem;
  if (permission != 0 && permission != RT_READ && permission != (RT_READ | RT_WRITE)) return HZ_INVALID_PERMISSION;
  if (!may_reprotect(x[0], x[1])) return HZ_INVALID_STATE_OF_MEMORY;
  hz_protect(x[0], x[1], (int)permission, -1);
  return HZ_OK;
}

hz_result hz_svc_set_memory_attribute(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint32_t mask = (uint32_t)x[2], value = (uint32_t)x[3], known = HZ_UNCACHED | HZ_PERMISSION_LOCKED;
  const hz_result problem = check_range(x[0], x[1]);
  if (problem) return problem;
  if ((mask | value) != mask || (mask | known) != known || (mask & ~value & HZ_PERMISSION_LOCKED))
    return HZ_INVALID_COMBINATION;
  for (uint64_t addr = x[0]; addr < x[0] + x[1];) {
    const hz_block b = hz_block_at(addr);
    if (b.type == HZ_UNMAPPED || b.attribute & HZ_LOCKED) return HZ_INVALID_STATE_OF_MEMORY;
    const uint64_t end = b.start + b.size < x[0] + x[1] ? b.start + b.size : x[0] + x[1];
    hz_blocks_set(addr, end - addr, -1, -1, (int)((b.attribute & ~mask) | value));
    addr = end;
  }
  return HZ_OK;
}

/* Views made by MapMemory. While one exists its source cannot be touched, so contents move there and back. */
typedef struct view {
  uint64_t to, from, size;
} view;

static view *views;
static uint32_t view_count;

static void add_view(uint64_t to, uint64_t from, uint64_t size) {
  if (!size) return;
  views = realloc(views, (view_count + 1) * sizeof *views);
  if (!views) rt_fail("out of memory for the guest's mappings");
  views[view_count++] = (view){to, from, size};
}

hz_result hz_svc_map_memory(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint64_t to = x[0], from = x[1], size = x[2];
  if (!is_page(to) || !is_page(from)) return HZ_INVALID_ADDRESS;
  const hz_result problem = check_range(from, size);
  if (problem) return problem;
  if (!is_in(to, size, HZ_STACK_BASE, HZ_STACK_SIZE)) return HZ_INVALID_MEMORY_RANGE;
  if (!hz_blocks_are(from, size, HZ_HEAP, RT_READ | RT_WRITE, 0) || !hz_blocks_are(to, size, HZ_UNMAPPED, -1, -1))
    return HZ_INVALID_STATE_OF_MEMORY;
  hz_map(to, size, HZ_STACK, RT_READ | RT_WRITE);
  memcpy(rt_memory + to, rt_memory + from, size);
  hz_protect(from, size, 0, HZ_LOCKED);
  add_view(to, from, size);
  return HZ_OK;
}

hz_result hz_svc_unmap_memory(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint64_t to = x[0], from = x[1], size = x[2];
  if (!is_page(to) || !is_page(from)) return HZ_INVALID_ADDRESS;
  if (!size || !is_page(size)) return HZ_INVALID_SIZE;
  if (!is_in(to, size, HZ_STACK_BASE, HZ_STACK_SIZE)) return HZ_INVALID_MEMORY_RANGE;
  for (uint32_t i = 0; i < view_count; i++) {
    const view v = views[i];
    if (!is_in(to, size, v.to, v.size) || from - v.from != to - v.to) continue;
    views[i] = views[--view_count];
    hz_protect(from, size, RT_READ | RT_WRITE, 0);
    memcpy(rt_memory + from, rt_memory + to, size);
    hz_unmap(to, size);
    add_view(v.to, v.from, to - v.to);
    add_view(to + size, from + size, v.to + v.size - to - size);
    return HZ_OK;
  }
  return HZ_INVALID_STATE_OF_MEMORY;
}

hz_result hz_svc_query_memory(hz_thread *t, uint64_t *x) {
  (void)t;
  struct {
    uint64_t base, size;
    uint32_t type, attribute, permission, ipc_count, device_count, zero;
  } info = {RT_SPACE, -RT_SPACE, HZ_INACCESSIBLE, 0, 0, 0, 0, 0};
  if (x[2] < RT_SPACE) {
    const hz_block b = hz_block_at(x[2]);
    info.base = b.start, info.size = b.size, info.type = b.type;
    info.attribute = b.attribute, info.permission = b.permission;
  }
  if (!rt_memory_put(x[0], &info, sizeof info)) return HZ_INVALID_POINTER;
  x[1] = 0;
  return HZ_OK;
}

hz_result hz_svc_map_shared_memory(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint32_t permission = (uint32_t)x[3];
  const hz_result problem = check_range(x[1], x[2]);
  if (problem) return problem;
  if (permission != RT_READ && permission != (RT_READ | RT_WRITE)) return HZ_INVALID_PERMISSION;
  const hz_shared *shared = hz_handle_get((uint32_t)x[0], &hz_kind_shared);
  if (!shared) return HZ_INVALID_HANDLE;
  if (x[2] != rt_page_up(shared->size)) return HZ_INVALID_SIZE;
  if (permission & (uint32_t)~shared->guest_permission) return HZ_INVALID_PERMISSION;
  if (!is_in(x[1], x[2], HZ_ASLR_BASE, HZ_ASLR_SIZE)) return HZ_INVALID_MEMORY_RANGE;
  if (!hz_blocks_are(x[1], x[2], HZ_UNMAPPED, -1, -1)) return HZ_INVALID_STATE_OF_MEMORY;
  hz_shared_map(shared, x[1], (int)permission);
  return HZ_OK;
}

hz_result hz_svc_unmap_shared_memory(hz_thread *t, uint64_t *x) {
  (void)t;
  const hz_result problem = check_range(x[1], x[2]);
  if (problem) return problem;
  const hz_shared *shared = hz_handle_get((uint32_t)x[0], &hz_kind_shared);
  if (!shared) return HZ_INVALID_HANDLE;
  if (x[2] != rt_page_up(shared->size)) return HZ_INVALID_SIZE;
  if (!hz_blocks_are(x[1], x[2], HZ_SHARED, -1, -1)) return HZ_INVALID_STATE_OF_MEMORY;
  hz_unmap(x[1], x[2]);
  return HZ_OK;
}

hz_result hz_svc_create_shared_memory(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint32_t own = (uint32_t)x[2], others = (uint32_t)x[3];
  if (!x[1] || !is_page(x[1]) || x[1] > HZ_HEAP_SIZE) return HZ_INVALID_SIZE;
  if ((own != RT_READ && own != (RT_READ | RT_WRITE)) ||
      (others != RT_READ && others != (RT_READ | RT_WRITE) && others != ANYTHING))
    return HZ_INVALID_PERMISSION;
  uint32_t handle = 0;
  const hz_result result = hz_handle_new(hz_shared_new(x[1], (int)own), &handle);
  x[1] = handle;
  return result;
}

hz_result hz_svc_create_transfer_memory(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint32_t permission = (uint32_t)x[3];
  const hz_result problem = check_range(x[1], x[2]);
  if (problem) return problem;
  if (permission != 0 && permission != RT_READ && permission != (RT_READ | RT_WRITE)) return HZ_INVALID_PERMISSION;
  if (!hz_blocks_are(x[1], x[2], -1, RT_READ | RT_WRITE, 0)) return HZ_INVALID_STATE_OF_MEMORY;
  hz_transfer *transfer = hz_object_new(&hz_kind_transfer, sizeof *transfer);
  transfer->addr = x[1];
  transfer->size = x[2];
  hz_protect(transfer->addr, transfer->size, (int)permission, HZ_LOCKED);
  uint32_t handle = 0;
  const hz_result result = hz_handle_new(transfer, &handle);
  x[1] = handle;
  return result;
}

/* Only for processes with memory of the system's, which an application has not. */
hz_result hz_svc_map_physical_memory(hz_thread *t, uint64_t *x) {
  (void)t;
  return check_range(x[0], x[1]) ? check_range(x[0], x[1]) : HZ_INVALID_STATE;
}

hz_result hz_svc_flush_entire_data_cache(hz_thread *t, uint64_t *x) {
  (void)t, (void)x;
  return HZ_OK;
}

hz_result hz_svc_flush_data_cache(hz_thread *t, uint64_t *x) {
  (void)t, (void)x;
  return HZ_OK;
}
