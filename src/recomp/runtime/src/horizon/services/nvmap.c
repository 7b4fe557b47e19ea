#include "nvmap.h"

#include <string.h>

#include "../../memory.h"

#define OBJECTS 1024u
#define BAD_PARAMETER 4u
#define NO_MEMORY 6u

enum { CREATE = 0x01, FROM_ID = 0x03, ALLOC = 0x04, FREE = 0x05, PARAM = 0x09, GET_ID = 0x0e };
enum { SIZE = 1, ALIGNMENT = 2, BASE = 3, HEAP = 4, KIND = 5 };

#define CARVEOUT 0x40000000u

/* Its id is its handle. */
typedef struct object {
  bool used, allocated;
  uint32_t references, size, alignment;
  uint8_t kind;
  uint64_t addr;
} object;

static object objects[OBJECTS]; /* 0 stays unused */

static object *find(uint32_t id) { return id > 0 && id < OBJECTS && objects[id].used ? &objects[id] : NULL; }

bool hz_nvmap_find(uint32_t id, uint64_t *addr, uint64_t *size) {
  const object *o = find(id);
  if (!o || !o->allocated) return false;
  *addr = o->addr;
  *size = o->size;
  return true;
}

static uint32_t create(uint32_t *w) {
  if (!w[0]) return BAD_PARAMETER;
  for (uint32_t id = 1; id < OBJECTS; id++) {
    if (objects[id].used) continue;
    objects[id] = (object){true, false, 1, (uint32_t)rt_page_up(w[0]), RT_PAGE, 0, 0};
    w[1] = id;
    return 0;
  }
  return NO_MEMORY;
}

static uint32_t from_id(uint32_t *w) {
  object *o = find(w[0]);
  if (!o) return BAD_PARAMETER;
  o->references++;
  w[1] = w[0];
  return 0;
}

static uint32_t alloc(const uint8_t *data, const uint32_t *w) {
  object *o = find(w[0]);
  if (!o) return BAD_PARAMETER;
  o->alignment = w[3];
  o->kind = data[16];
  memcpy(&o->addr, data + 24, sizeof o->addr);
  o->allocated = true;
  return 0;
}

static uint32_t release(uint8_t *data, uint32_t *w) {
  object *o = find(w[0]);
  if (!o) return BAD_PARAMETER;
  memcpy(data + 8, &o->addr, sizeof o->addr);
  w[4] = o->size;
  w[5] = 0;
  if (--o->references == 0) o->used = false;
  return 0;
}

static uint32_t param(uint32_t *w) {
  const object *o = find(w[0]);
  if (!o) return BAD_PARAMETER;
  switch (w[1]) {
    case SIZE: w[2] = o->size; return 0;
    case ALIGNMENT: w[2] = o->alignment; return 0;
    case BASE: w[2] = 0; return BAD_PARAMETER;
    case HEAP: w[2] = CARVEOUT; return 0;
    case KIND: w[2] = o->kind; return 0;
    default: return BAD_PARAMETER;
  }
}

static uint32_t get_id(uint32_t *w) {
  if (!find(w[1])) return BAD_PARAMETER;
  w[0] = w[1];
  return 0;
}

uint32_t hz_nvmap_ioctl(uint32_t request, uint8_t *data, uint32_t size) {
  static const uint8_t least[] = {[CREATE] = 8, [FROM_ID] = 8, [ALLOC] = 32, [FREE] = 24, [PARAM] = 12, [GET_ID] = 8};
  const uint32_t number = request & 0xff;
  uint32_t *w = (uint32_t *)(void *)data;
  if (number >= sizeof least || !least[number] || size < least[number]) return BAD_PARAMETER;
  switch (number) {
    case CREATE: return create(w);
    case FROM_ID: return from_id(w);
    case ALLOC: return alloc(data, w);
    case FREE: return release(data, w);
    case PARAM: return param(w);
    default: return get_id(w);
  }
}
