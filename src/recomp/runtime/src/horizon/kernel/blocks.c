#include "blocks.h"

#include <stdlib.h>
#include <string.h>

#include "../../end.h"
#include "../../memory.h"

static hz_block *blocks; /* in order, without gaps, from 0 to RT_SPACE */
static uint32_t count, capacity;

void hz_blocks_init(void) {
  capacity = 64;
  blocks = malloc(capacity * sizeof *blocks);
  if (!blocks) rt_fail("out of memory for the guest's memory blocks");
  blocks[0] = (hz_block){0, RT_SPACE, HZ_UNMAPPED, 0, 0};
  count = 1;
}

static uint32_t find(uint64_t addr) {
  uint32_t low = 0, high = count - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    if (blocks[middle].start <= addr) low = middle;
    else high = middle - 1;
  }
  return low;
}

hz_block hz_block_at(uint64_t addr) { return blocks[find(addr)]; }

static bool is(const hz_block *b, int type, int permission, int attribute) {
  return (type < 0 || b->type == type) && (permission < 0 || b->permission == permission) &&
         (attribute < 0 || b->attribute == attribute);
}

bool hz_blocks_are(uint64_t addr, uint64_t size, int type, int permission, int attribute) {
  if (addr >= RT_SPACE || size > RT_SPACE - addr) return false;
  for (uint32_t i = find(addr); i < count && blocks[i].start < addr + size; i++)
    if (!is(&blocks[i], type, permission, attribute)) return false;
  return true;
}

/* Makes a block start at an address. */
static void split(uint64_t addr) {
  if (addr >= RT_SPACE) return;
  const uint32_t i = find(addr);
  if (blocks[i].start == addr) return;
  if (count == capacity) {
    capacity *= 2;
    blocks = realloc(blocks, capacity * sizeof *blocks);
    if (!blocks) rt_fail("out of memory for the guest's memory blocks");
  }
  memmove(blocks + i + 1, blocks + i, (count - i) * sizeof *blocks);
  count++;
  blocks[i + 1].size = blocks[i].start + blocks[i].size - addr;
  blocks[i + 1].start = addr;
  blocks[i].size = addr - blocks[i].start;
}

static void merge(void) {
  uint32_t kept = 0;
  for (uint32_t i = 1; i < count; i++) {
    if (is(&blocks[i], blocks[kept].type, blocks[kept].permission, blocks[kept].attribute))
      blocks[kept].size += blocks[i].size;
    else
      blocks[++kept] = blocks[i];
  }
  count = kept + 1;
}

void hz_blocks_set(uint64_t addr, uint64_t size, int type, int permission, int attribute) {
  split(addr);
  split(addr + size);
  for (uint32_t i = find(addr); i < count && blocks[i].start < addr + size; i++) {
    if (type >= 0) blocks[i].type = (uint8_t)type;
    if (permission >= 0) blocks[i].permission = (uint8_t)permission;
    if (attribute >= 0) blocks[i].attribute = (uint8_t)attribute;
  }
  merge();
}

static void check(int problem) {
  if (problem) rt_fail("the host cannot map the guest's memory: %s", strerror(problem));
}

void hz_map(uint64_t addr, uint64_t size, int type, int permission) {
  check(rt_memory_map_anonymous((uint32_t)addr, size, permission, false));
  hz_blocks_set(addr, size, type, permission, 0);
}

void hz_unmap(uint64_t addr, uint64_t size) {
  check(rt_memory_unmap((uint32_t)addr, size));
  hz_blocks_set(addr, size, HZ_UNMAPPED, 0, 0);
}

void hz_protect(uint64_t addr, uint64_t size, int permission, int attribute) {
  check(rt_memory_protect((uint32_t)addr, size, permission));
  hz_blocks_set(addr, size, -1, permission, attribute);
}
