/* What a program asks about itself and its system. */
#include "../../clock.h"
#include "../../options.h"
#include "../layout.h"
#include "memory_calls.h"
#include "svc.h"

#define PROCESS_ID 0x81
#define PROGRAM_ID UINT64_C(0x0100000000001000)

enum {
  CORE_MASK = 0,
  PRIORITY_MASK = 1,
  ALIAS_BASE = 2,
  ALIAS_SIZE = 3,
  HEAP_BASE = 4,
  HEAP_SIZE = 5,
  TOTAL_MEMORY = 6,
  USED_MEMORY = 7,
  DEBUGGER_ATTACHED = 8,
  RESOURCE_LIMIT = 9,
  IDLE_TICKS = 10,
  RANDOM_ENTROPY = 11,
  ASLR_BASE = 12,
  ASLR_SIZE = 13,
  STACK_BASE = 14,
  STACK_SIZE = 15,
  SYSTEM_RESOURCE_TOTAL = 16,
  SYSTEM_RESOURCE_USED = 17,
  PROGRAM = 18,
  EXCEPTION_CONTEXT = 20,
  TOTAL_NON_SYSTEM = 21,
  USED_NON_SYSTEM = 22,
  IS_APPLICATION = 23,
  FREE_THREADS = 24,
  THREAD_TICKS = 25,
  ALIAS_EXTRA_SIZE = 28,
};

static uint64_t used_memory(void) { return HZ_LOADER_MEMORY + hz_heap_size(); }

static uint64_t ticks(void) { return rt_clock_now() / RT_UNITS_PER_NS * 12 / 625; }

/* Four words, each another function of the seed. */
static hz_result entropy(uint64_t which, uint64_t *value) {
  if (which > 3) return HZ_INVALID_COMBINATION;
  *value = UINT64_C(0x1111111111111111) * (which + 1) ^ rt_opt.seed * UINT64_C(0x9e3779b97f4a7c15);
  return HZ_OK;
}

static hz_result process_info(uint32_t id, uint64_t sub_id, uint64_t *value) {
  switch (id) {
    case CORE_MASK: *value = (1u << HZ_CORES) - 1; return HZ_OK;
    case PRIORITY_MASK:
      *value = (UINT64_C(1) << (HZ_PRIORITY_LOWEST + 1)) - (UINT64_C(1) << HZ_PRIORITY_HIGHEST);
      return HZ_OK;
    case ALIAS_BASE: *value = HZ_ALIAS_BASE; return HZ_OK;
    case ALIAS_SIZE: *value = HZ_ALIAS_SIZE; return HZ_OK;
    case HEAP_BASE: *value = HZ_HEAP_BASE; return HZ_OK;
    case HEAP_SIZE: *value = HZ_HEAP_SIZE; return HZ_OK;
    case TOTAL_MEMORY:
    case TOTAL_NON_SYSTEM: *value = HZ_TOTAL_MEMORY; return HZ_OK;
    case USED_MEMORY:
    case USED_NON_SYSTEM: *value = used_memory(); return HZ_OK;
    case ASLR_BASE: *value = HZ_ASLR_BASE; return HZ_OK;
    case ASLR_SIZE: *value = HZ_ASLR_SIZE; return HZ_OK;
    case STACK_BASE: *value = HZ_STACK_BASE; return HZ_OK;
    case STACK_SIZE: *value = HZ_STACK_SIZE; return HZ_OK;
    case SYSTEM_RESOURCE_TOTAL:
    case SYSTEM_RESOURCE_USED:
    case ALIAS_EXTRA_SIZE: *value = 0; return HZ_OK;
    case PROGRAM: *value = PROGRAM_ID; return HZ_OK;
    case EXCEPTION_CONTEXT: *value = HZ_TLS_BASE; return HZ_OK;
    case IS_APPLICATION: *value = 1; return HZ_OK;
    case FREE_THREADS: *value = hz_threads_free(); return HZ_OK;
    case DEBUGGER_ATTACHED: *value = 0; return HZ_OK;
    case RANDOM_ENTROPY: return entropy(sub_id, value);
    default: return HZ_INVALID_ENUM;
  }
}

hz_result hz_svc_get_info(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint32_t id = (uint32_t)x[1], handle = (uint32_t)x[2];
  uint64_t value = 0;
  hz_result result = HZ_OK;
  if (id == DEBUGGER_ATTACHED || id == RANDOM_ENTROPY) {
    result = process_info(id, x[3], &value); /* these ask for no handle */
  } else if (id == RESOURCE_LIMIT || id == IDLE_TICKS) {
    value = 0;
  } else if (id == THREAD_TICKS || id == 0xf0000002u) {
    if (!hz_handle_get(handle, &hz_kind_thread)) return HZ_INVALID_HANDLE;
    value = ticks();
  } else if (id <= ALIAS_EXTRA_SIZE) {
    if (!hz_handle_get(handle, &hz_kind_process)) return HZ_INVALID_HANDLE;
    result = process_info(id, x[3], &value);
  } else {
    result = HZ_INVALID_ENUM;
  }
  x[1] = value;
  return result;
}

hz_result hz_svc_get_process_id(hz_thread *t, uint64_t *x) {
  (void)t;
  const uint32_t handle = (uint32_t)x[1];
  if (!hz_handle_get(handle, &hz_kind_process) && !hz_handle_get(handle, &hz_kind_thread)) return HZ_INVALID_HANDLE;
  x[1] = PROCESS_ID;
  return HZ_OK;
}

/* There are no limits but the address space's. */
hz_result hz_svc_get_resource_limit(hz_thread *t, uint64_t *x) {
  (void)t, (void)x;
  return HZ_INVALID_HANDLE;
}

hz_result hz_svc_get_resource_current(hz_thread *t, uint64_t *x) {
  (void)t, (void)x;
  return HZ_INVALID_HANDLE;
}

hz_result hz_svc_get_system_tick(hz_thread *t, uint64_t *x) {
  (void)t;
  x[0] = ticks();
  return HZ_OK;
}
