#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "end.h"

#define PAGES (RT_SPACE / RT_PAGE)
#define LOWEST_MAPPING UINT32_C(0x10000) /* a null pointer and what is near it always faults */

uint8_t *rt_memory;

static uint8_t page_access[PAGES];
static uint32_t heap_start;

static int host_protection(int access) {
  int protection = PROT_NONE;
  if (access & (RT_READ | RT_WRITE | RT_EXEC)) protection |= PROT_READ;
  if (access & RT_WRITE) protection |= PROT_WRITE;
  return protection;
}

static void mark(uint32_t addr, uint64_t size, int access) {
  memset(page_access + addr / RT_PAGE, access, size / RT_PAGE);
}

static void reserve(void) {
  void *base = mmap(NULL, RT_GUARD + RT_SPACE + RT_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) rt_fail("cannot reserve 4 GiB of address space: %s", strerror(errno));
  rt_memory = (uint8_t *)base + RT_GUARD;
}

static int segment_access(const rt_segment *s) {
  return RT_MAPPED | (s->read ? RT_READ : 0) | (s->write ? RT_WRITE : 0) | (s->execute ? RT_EXEC : 0);
}

static void map_segment(const rt_module *module, const rt_segment *s) {
  uint64_t start = s->base & ~(RT_PAGE - 1), end = rt_page_up((uint64_t)s->base + s->size);
  if (end > RT_STACK_TOP || s->init_size > s->size || (uint64_t)s->init_offset + s->init_size > module->blob_size)
    rt_fail("module %s: segment %s at 0x%x is outside of the guest's memory or its data [this is a bug]", module->name,
            s->name, s->base);
  if (mprotect(rt_memory + start, end - start, PROT_READ | PROT_WRITE))
    rt_fail("cannot map segment %s: %s", s->name, strerror(errno));
  if (s->init_size) memcpy(rt_memory + s->base, module->blob + s->init_offset, s->init_size);
}

/* Segments may share a page, which then has the permissions of both. */
static void protect_segments(const rt_module *module) {
  for (uint32_t i = 0; i < module->segment_count; i++) {
    const rt_segment *s = &module->segments[i];
    uint64_t end = rt_page_up((uint64_t)s->base + s->size);
    for (uint64_t addr = s->base & ~(RT_PAGE - 1); addr < end; addr += RT_PAGE)
      page_access[addr / RT_PAGE] |= (uint8_t)segment_access(s);
    if (end > heap_start) heap_start = (uint32_t)end;
  }
  for (uint64_t page = 0; page < PAGES; page++)
    if (page_access[page])
      mprotect(rt_memory + page * RT_PAGE, RT_PAGE, host_protection(page_access[page]));
}

void rt_memory_init(const rt_module *module) {
  reserve();
  for (uint32_t i = 0; i < module->segment_count; i++)
    if (module->segments[i].size) map_segment(module, &module->segments[i]);
  protect_segments(module);
}

bool rt_memory_allows(uint64_t addr, uint64_t size, int access) {
  if (size == 0) return addr <= RT_SPACE;
  if (addr >= RT_SPACE || size > RT_SPACE - addr) return false;
  for (uint64_t page = addr / RT_PAGE; page <= (addr + size - 1) / RT_PAGE; page++)
    if ((page_access[page] & (RT_MAPPED | access)) != (RT_MAPPED | access)) return false;
  return true;
}

void *rt_memory_at(uint64_t addr, uint64_t size, int access) {
  return rt_memory_allows(addr, size, access) ? rt_memory + addr : NULL;
}

bool rt_memory_get(void *to, uint64_t addr, uint64_t size) {
  const void *from = rt_memory_at(addr, size, RT_READ);
  if (from) memcpy(to, from, size);
  return from != NULL;
}

bool rt_memory_put(uint64_t addr, const void *from, uint64_t size) {
  void *to = rt_memory_at(addr, size, RT_WRITE);
  if (to) memcpy(to, from, size);
  return to != NULL;
}

const char *rt_memory_string(uint64_t addr, uint64_t limit) {
  for (uint64_t size = 0; size < limit;) {
    uint64_t step = RT_PAGE - (addr + size) % RT_PAGE;
    if (step > limit - size) step = limit - size;
    const uint8_t *part = rt_memory_at(addr + size, step, RT_READ);
    if (!part) return NULL;
    if (memchr(part, 0, step)) return (const char *)rt_memory + addr;
    size += step;
  }
  return NULL;
}

bool rt_memory_is_free(uint64_t addr, uint64_t size) {
  for (uint64_t page = addr / RT_PAGE; page < (addr + size) / RT_PAGE; page++)
    if (page_access[page]) return false;
  return true;
}

uint32_t rt_memory_find(uint64_t hint, uint64_t size) {
  size = rt_page_up(size);
  const uint64_t top = RT_VDSO_BASE - RT_PAGE;
  hint &= ~(uint64_t)(RT_PAGE - 1);
  if (hint >= LOWEST_MAPPING && hint < top && size <= top - hint && rt_memory_is_free(hint, size)) return (uint32_t)hint;
  uint64_t run = 0;
  for (uint64_t page = top / RT_PAGE; page-- > LOWEST_MAPPING / RT_PAGE;) {
    run = page_access[page] ? 0 : run + 1;
    if (run * RT_PAGE >= size) return (uint32_t)(page * RT_PAGE);
  }
  return 0;
}

static int map(uint32_t addr, uint64_t size, int access, int flags, int fd, int64_t offset) {
  void *at = mmap(rt_memory + addr, size, host_protection(access), flags | MAP_FIXED, fd, offset);
  if (at == MAP_FAILED) return errno;
  mark(addr, size, access | RT_MAPPED);
  return 0;
}

int rt_memory_map_anonymous(uint32_t addr, uint64_t size, int access, bool shared) {
  return map(addr, size, access, MAP_ANONYMOUS | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE), -1, 0);
}

int rt_memory_map_fd(uint32_t addr, uint64_t size, int access, bool shared, int fd, int64_t offset) {
  return map(addr, size, access, shared ? MAP_SHARED : MAP_PRIVATE, fd, offset);
}

/* Back to the bare reservation: contents are gone and nothing of the host can land there. */
int rt_memory_unmap(uint32_t addr, uint64_t size) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  if (mmap(rt_memory + addr, size, PROT_NONE, flags, -1, 0) == MAP_FAILED) return errno;
  mark(addr, size, 0);
  return 0;
}

int rt_memory_protect(uint32_t addr, uint64_t size, int access) {
  if (mprotect(rt_memory + addr, size, host_protection(access))) return errno;
  mark(addr, size, access | RT_MAPPED);
  return 0;
}

int rt_memory_move(uint32_t from, uint64_t old_size, uint32_t to, uint64_t new_size) {
  int access = rt_memory_page(from);
  void *at = mremap(rt_memory + from, old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, rt_memory + to);
  if (at == MAP_FAILED) return errno;
  mark(to, new_size, access);
  return rt_memory_unmap(from, old_size);
}

int rt_memory_discard(uint32_t addr, uint64_t size) {
  return madvise(rt_memory + addr, size, MADV_DONTNEED) ? errno : 0;
}

int rt_memory_page(uint32_t addr) { return page_access[addr / RT_PAGE]; }

uint32_t rt_memory_heap_start(void) { return heap_start; }
