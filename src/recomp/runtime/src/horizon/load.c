#include "load.h"

#include <string.h>

#include "../end.h"
#include "../memory.h"
#include "../options.h"
#include "kernel/blocks.h"
#include "kernel/kthread.h"
#include "kernel/memory_calls.h"
#include "layout.h"
#include "services/files.h"

/* Keys of configuration entries. */
enum {
  END_OF_LIST = 0,
  MAIN_THREAD_HANDLE = 1,
  NEXT_LOAD_PATH = 2,
  OVERRIDE_HEAP = 3,
  ARGV = 5,
  SYSCALL_HINT = 6,
  APPLET_TYPE = 7,
  PROCESS_HANDLE = 10,
  LAST_LOAD_RESULT = 11,
  RANDOM_SEED = 14,
  SYSCALL_HINT_2 = 17,
};
#define MANDATORY 1u
#define APPLICATION 0

#define NEXT_PATH (HZ_CONFIG_BASE + 0x1000) /* 0x200 bytes */
#define NEXT_ARGV (HZ_CONFIG_BASE + 0x1200) /* 0x800 bytes */
#define ARGUMENTS (HZ_CONFIG_BASE + 0x2000)
#define LOADER_INFO (HZ_CONFIG_BASE + 0x3000)

typedef struct entry {
  uint32_t key, flags;
  uint64_t value[2];
} entry;

static hz_thread *main_thread;

static void map_image(void) {
  for (uint32_t i = 0; i < rt_guest.segment_count; i++) {
    const rt_segment *s = &rt_guest.segments[i];
    const uint64_t start = s->base & ~(uint64_t)(RT_PAGE - 1), end = rt_page_up((uint64_t)s->base + s->size);
    const int permission = (s->read ? RT_READ : 0) | (s->write ? RT_WRITE : 0) | (s->execute ? RT_EXEC : 0);
    if (start < HZ_ASLR_BASE || end > HZ_HEAP_BASE)
      rt_fail("module %s: segment %s at 0x%x: expected the image between 0x%x and 0x%x", rt_guest.name, s->name, s->base,
              HZ_ASLR_BASE, HZ_HEAP_BASE);
    if (end > start) hz_blocks_set(start, end - start, s->write ? HZ_CODE_DATA : HZ_CODE, permission, 0);
  }
}

/* Where the program goes when it is done; control never comes back from here. */
static uint64_t returned(rt_cpu *c) {
  const hz_result result = (hz_result)c->x[0];
  const int code = result == HZ_OK ? 0 : result & 0xff ? (int)(result & 0xff) : 1;
  rt_end(RT_END_EXIT, code, (rt_end_place){0, 0}, "returned to the loader: %s", hz_result_text(result));
}

static void add(entry **at, uint32_t key, uint32_t flags, uint64_t v0, uint64_t v1) {
  *(*at)++ = (entry){key, flags, {v0, v1}};
}

static void configure(uint32_t thread_handle, uint32_t process_handle) {
  static const char info[] = "recomp";
  const char *arguments = hz_files_program_path();
  const uint64_t seed = rt_opt.seed;
  rt_memory_put(ARGUMENTS, arguments, strlen(arguments) + 1);
  rt_memory_put(LOADER_INFO, info, sizeof info - 1);
  entry *at = (entry *)(rt_memory + HZ_CONFIG_BASE);
  add(&at, MAIN_THREAD_HANDLE, 0, thread_handle, 0);
  add(&at, PROCESS_HANDLE, 0, process_handle, 0);
  add(&at, APPLET_TYPE, 0, APPLICATION, 0);
  add(&at, ARGV, 0, 0, ARGUMENTS);
  add(&at, NEXT_LOAD_PATH, 0, NEXT_PATH, NEXT_ARGV);
  add(&at, LAST_LOAD_RESULT, 0, 0, 0);
  add(&at, SYSCALL_HINT, 0, UINT64_MAX, UINT64_MAX);
  add(&at, SYSCALL_HINT_2, 0, UINT64_MAX, 0);
  add(&at, RANDOM_SEED, 0, UINT64_C(0x0123456789abcdef) + seed, UINT64_C(0xfedcba9876543210) - seed);
  add(&at, OVERRIDE_HEAP, MANDATORY, HZ_HEAP_BASE, HZ_OVERRIDE_HEAP_SIZE);
  add(&at, END_OF_LIST, 0, LOADER_INFO, sizeof info - 1);
}

void hz_load_init(void) {
  hz_blocks_init();
  map_image();
  hz_map(HZ_MAIN_STACK, HZ_MAIN_STACK_SIZE, HZ_STACK, RT_READ | RT_WRITE);
  hz_map(HZ_TLS_BASE, HZ_TLS_SIZE, HZ_THREAD_LOCAL, RT_READ | RT_WRITE);
  hz_map(HZ_CONFIG_BASE, HZ_CONFIG_SIZE, HZ_STATIC, RT_READ | RT_WRITE);
  hz_heap_init(HZ_OVERRIDE_HEAP_SIZE);
  rt_dispatch_host(HZ_RETURN_PC, returned);
  main_thread = hz_thread_first();
}

/* Homebrew: x0 the configuration, x1 all ones; a normal process gets 0 and its main thread's handle. */
void hz_load_registers(rt_cpu *c) {
  uint32_t thread = 0, process = 0;
  hz_thread_bind(main_thread, rt_thread_of(c));
  hz_handle_new(hz_object_keep(main_thread), &thread);
  hz_handle_new(hz_object_new(&hz_kind_process, sizeof(hz_object)), &process);
  configure(thread, process);
  c->x[0] = HZ_CONFIG_BASE;
  c->x[1] = UINT64_MAX;
  c->x[30] = HZ_RETURN_PC;
  c->sp = HZ_MAIN_STACK + HZ_MAIN_STACK_SIZE;
  c->tpidrro_el0 = main_thread->tls;
}
