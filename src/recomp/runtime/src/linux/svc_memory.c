/* The guest's address space: brk and the mmap family. */
#include <errno.h>
#include <string.h>

#include "../memory.h"
#include "file.h"
#include "svc.h"

#define G_PROT_READ 1
#define G_PROT_WRITE 2
#define G_PROT_EXEC 4
#define G_MAP_SHARED 1
#define G_MAP_PRIVATE 2
#define G_MAP_TYPE 0xf
#define G_MAP_FIXED 0x10
#define G_MAP_ANONYMOUS 0x20
#define G_MAP_FIXED_NOREPLACE 0x100000
#define G_MREMAP_MAYMOVE 1
#define G_MREMAP_FIXED 2

static uint64_t heap_end; /* exact; the pages up to it are mapped */

static int access_of(uint64_t protection) {
  return (protection & G_PROT_READ ? RT_READ : 0) | (protection & G_PROT_WRITE ? RT_WRITE | RT_READ : 0) |
         (protection & G_PROT_EXEC ? RT_EXEC : 0);
}

/* Whole pages inside what a guest may map. */
static bool is_range(uint64_t addr, uint64_t size) {
  return addr % RT_PAGE == 0 && addr < RT_SPACE && size <= RT_SPACE - addr;
}

static bool resize_heap(uint64_t end) {
  uint64_t from = rt_page_up(heap_end), to = rt_page_up(end);
  if (to < from) return rt_memory_unmap((uint32_t)to, from - to) == 0;
  if (to == from) return true;
  if (to > RT_STACK_TOP || !rt_memory_is_free(from, to - from)) return false;
  return rt_memory_map_anonymous((uint32_t)from, to - from, RT_READ | RT_WRITE, false) == 0;
}

int64_t rt_svc_brk(rt_thread *t, const uint64_t *a) {
  (void)t;
  if (!heap_end) heap_end = rt_memory_heap_start();
  if (a[0] >= rt_memory_heap_start() && a[0] < RT_SPACE && resize_heap(a[0])) heap_end = a[0];
  return (int64_t)heap_end;
}

/* Where a mapping goes, or a negated errno. */
static int64_t place(uint64_t hint, uint64_t size, uint64_t flags) {
  if (flags & (G_MAP_FIXED | G_MAP_FIXED_NOREPLACE)) {
    if (hint % RT_PAGE) return -EINVAL;
    if (!is_range(hint, size) || hint < RT_PAGE) return -ENOMEM;
    if ((flags & G_MAP_FIXED_NOREPLACE) && !rt_memory_is_free(hint, size)) return -EEXIST;
    return (int64_t)hint;
  }
  uint32_t addr = rt_memory_find(hint, size);
  return addr ? (int64_t)addr : -ENOMEM;
}

static int64_t map_file(rt_file *f, uint32_t addr, uint64_t size, const uint64_t *a) {
  if (!f->kind->map) return -ENODEV;
  bool shared = (a[3] & G_MAP_TYPE) != G_MAP_PRIVATE;
  int mode = f->flags & G_O_ACCMODE;
  if (mode == G_O_WRONLY || (shared && (a[2] & G_PROT_WRITE) && mode != G_O_RDWR)) return -EACCES;
  return f->kind->map(f, addr, size, access_of(a[2]), shared, a[5]);
}

int64_t rt_svc_mmap(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t size = rt_page_up(a[1]), type = a[3] & G_MAP_TYPE;
  if (a[1] == 0 || type == 0 || type > 3 || a[5] % RT_PAGE) return -EINVAL;
  if (a[1] > RT_SPACE) return -ENOMEM;
  rt_file *f = a[3] & G_MAP_ANONYMOUS ? NULL : rt_fd_get(a[4]);
  if (!f && !(a[3] & G_MAP_ANONYMOUS)) return -EBADF;
  int64_t addr = place(a[0], size, a[3]);
  if (addr < 0) return addr;
  int64_t problem = f ? map_file(f, (uint32_t)addr, size, a)
                      : -rt_memory_map_anonymous((uint32_t)addr, size, access_of(a[2]), type != G_MAP_PRIVATE);
  return problem ? problem : addr;
}

int64_t rt_svc_munmap(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t size = rt_page_up(a[1]);
  if (!size || a[1] > RT_SPACE || !is_range(a[0], size)) return -EINVAL;
  return -rt_memory_unmap((uint32_t)a[0], size);
}

int64_t rt_svc_mprotect(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t size = rt_page_up(a[1]);
  if (a[0] % RT_PAGE) return -EINVAL;
  if (!size) return 0;
  if (a[1] > RT_SPACE || !is_range(a[0], size) || !rt_memory_allows(a[0], size, 0)) return -ENOMEM;
  return -rt_memory_protect((uint32_t)a[0], size, access_of(a[2]));
}

/* Growing in place keeps what is there: a new anonymous piece behind it. */
static int64_t grow(uint64_t addr, uint64_t old_size, uint64_t new_size) {
  uint64_t end = addr + old_size, more = new_size - old_size;
  if (!is_range(addr, new_size) || addr + new_size > RT_VDSO_BASE || !rt_memory_is_free(end, more)) return -ENOMEM;
  int access = rt_memory_page((uint32_t)addr) & ~RT_MAPPED;
  int64_t problem = -rt_memory_map_anonymous((uint32_t)end, more, access, false);
  return problem ? problem : (int64_t)addr;
}

static int64_t move(uint64_t addr, uint64_t old_size, uint64_t to, uint64_t new_size) {
  int access = rt_memory_page((uint32_t)addr) & ~RT_MAPPED;
  uint64_t kept = old_size < new_size ? old_size : new_size;
  int64_t problem = -rt_memory_move((uint32_t)addr, kept, (uint32_t)to, kept);
  if (!problem && old_size > kept) problem = -rt_memory_unmap((uint32_t)(addr + kept), old_size - kept);
  if (!problem && new_size > kept)
    problem = -rt_memory_map_anonymous((uint32_t)(to + kept), new_size - kept, access, false);
  return problem ? problem : (int64_t)to;
}

int64_t rt_svc_mremap(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t addr = a[0], old_size = rt_page_up(a[1]), new_size = rt_page_up(a[2]);
  if (!new_size || a[2] > RT_SPACE || a[1] > RT_SPACE || !is_range(addr, old_size) || a[3] & ~UINT64_C(3)) return -EINVAL;
  if (!old_size || !rt_memory_allows(addr, old_size, 0)) return old_size ? -EFAULT : -EINVAL;
  if (a[3] & G_MREMAP_FIXED) {
    if (!(a[3] & G_MREMAP_MAYMOVE) || !is_range(a[4], new_size) || a[4] < RT_PAGE) return -EINVAL;
    if (a[4] < addr + old_size && addr < a[4] + new_size) return -EINVAL;
    return move(addr, old_size, a[4], new_size);
  }
  if (new_size == old_size) return (int64_t)addr;
  if (new_size < old_size) {
    int64_t problem = -rt_memory_unmap((uint32_t)(addr + new_size), old_size - new_size);
    return problem ? problem : (int64_t)addr;
  }
  int64_t grown = grow(addr, old_size, new_size);
  if (grown > 0 || !(a[3] & G_MREMAP_MAYMOVE)) return grown;
  uint32_t to = rt_memory_find(0, new_size);
  return to ? move(addr, old_size, to, new_size) : -ENOMEM;
}

/* MADV_DONTNEED (4) of private anonymous memory makes it zero again; other advice may be ignored. */
int64_t rt_svc_madvise(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t size = rt_page_up(a[1]);
  if (a[0] % RT_PAGE || a[1] > RT_SPACE || !is_range(a[0], size)) return -EINVAL;
  if (!rt_memory_allows(a[0], size, 0)) return -ENOMEM;
  return a[2] == 4 && size ? -rt_memory_discard((uint32_t)a[0], size) : 0;
}

int64_t rt_svc_msync(rt_thread *t, const uint64_t *a) {
  (void)t;
  if (a[0] % RT_PAGE) return -EINVAL;
  return rt_memory_allows(a[0], a[1], 0) ? 0 : -ENOMEM;
}

/* Nothing of the guest's memory is ever swapped away as far as it can see. */
int64_t rt_svc_mlock(rt_thread *t, const uint64_t *a) {
  (void)t;
  return rt_memory_allows(a[0], a[1], 0) ? 0 : -ENOMEM;
}

int64_t rt_svc_munlock(rt_thread *t, const uint64_t *a) { return rt_svc_mlock(t, a); }

/* mincore: every mapped page is resident. */
int64_t rt_svc_mincore(rt_thread *t, const uint64_t *a) {
  (void)t;
  uint64_t pages = rt_page_up(a[1]) / RT_PAGE;
  if (a[0] % RT_PAGE) return -EINVAL;
  if (!rt_memory_allows(a[0], a[1], 0)) return -ENOMEM;
  uint8_t *out = rt_memory_at(a[2], pages, RT_WRITE);
  if (!out) return -EFAULT;
  memset(out, 1, pages);
  return 0;
}
