#include "stack.h"

#include <string.h>

#include "../end.h"
#include "../memory.h"
#include "../options.h"
#include "../random.h"
#include "hwcap.h"
#include "process.h"

#define MOST_BYTES (RT_STACK_SIZE / 4) /* of strings and vectors, as the kernel */

/* include/uapi/linux/auxvec.h */
enum {
  AT_NULL = 0,
  AT_PHDR = 3,
  AT_PHENT = 4,
  AT_PHNUM = 5,
  AT_PAGESZ = 6,
  AT_BASE = 7,
  AT_FLAGS = 8,
  AT_ENTRY = 9,
  AT_UID = 11,
  AT_EUID = 12,
  AT_GID = 13,
  AT_EGID = 14,
  AT_PLATFORM = 15,
  AT_HWCAP = 16,
  AT_CLKTCK = 17,
  AT_SECURE = 23,
  AT_RANDOM = 25,
  AT_HWCAP2 = 26,
  AT_EXECFN = 31,
  AT_MINSIGSTKSZ = 51,
};

static uint64_t top; /* strings grow down from the stack's end */

static uint64_t put(const void *bytes, uint64_t size) {
  top -= size;
  if (top < RT_STACK_TOP - MOST_BYTES) rt_fail("the guest's arguments and environment do not fit its stack");
  rt_memory_put(top, bytes, size);
  return top;
}

static uint64_t put_string(const char *text) { return put(text, strlen(text) + 1); }

static uint64_t count_variables(char **envp) {
  uint64_t n = 0;
  for (; *envp; envp++) n += !rt_options_owns(*envp);
  return n;
}

static uint64_t auxiliary_at, auxiliary_end;

const void *rt_stack_auxiliary(size_t *size) {
  *size = auxiliary_end - auxiliary_at;
  return rt_memory + auxiliary_at;
}

/* Writes words upwards. */
static uint64_t cursor;

static void word(uint64_t value) {
  rt_memory_put(cursor, &value, sizeof value);
  cursor += sizeof value;
}

static void auxiliary(uint64_t type, uint64_t value) {
  word(type);
  word(value);
}

static void put_auxiliary(uint64_t random, uint64_t platform, uint64_t name) {
  auxiliary(AT_HWCAP, RT_HWCAP);
  auxiliary(AT_PAGESZ, RT_PAGE);
  auxiliary(AT_CLKTCK, 100);
  auxiliary(AT_PHDR, rt_guest.phdr);
  auxiliary(AT_PHENT, rt_guest.phent);
  auxiliary(AT_PHNUM, rt_guest.phnum);
  auxiliary(AT_BASE, 0);
  auxiliary(AT_FLAGS, 0);
  auxiliary(AT_ENTRY, rt_guest.entry);
  auxiliary(AT_UID, rt_process_uid());
  auxiliary(AT_EUID, rt_process_uid());
  auxiliary(AT_GID, rt_process_gid());
  auxiliary(AT_EGID, rt_process_gid());
  auxiliary(AT_SECURE, 0);
  auxiliary(AT_RANDOM, random);
  auxiliary(AT_HWCAP2, 0);
  auxiliary(AT_EXECFN, name);
  auxiliary(AT_PLATFORM, platform);
  auxiliary(AT_MINSIGSTKSZ, 4704 + 16);
  auxiliary(AT_NULL, 0);
}

#define AUXILIARY_WORDS 40

void rt_stack_init(void) {
  int problem = rt_memory_map_anonymous(RT_STACK_TOP - RT_STACK_SIZE, RT_STACK_SIZE, RT_READ | RT_WRITE, false);
  if (problem) rt_fail("cannot map the guest's stack: %s", strerror(problem));
}

uint64_t rt_stack_build(int argc, char **argv, char **envp) {
  top = RT_STACK_TOP - 16;
  uint64_t random[2], variables = count_variables(envp), arguments = argc > 0 ? (uint64_t)argc : 1;
  rt_random_fill(random, sizeof random);
  uint64_t name = put_string(argc > 0 ? argv[0] : rt_guest.name);
  uint64_t platform = put_string("aarch64");
  top &= ~UINT64_C(15);
  uint64_t random_addr = put(random, sizeof random);
  uint64_t words = 1 + arguments + 1 + variables + 1 + AUXILIARY_WORDS;
  /* The vector comes below the strings, whose addresses it holds: strings first, then the vector upwards. */
  uint64_t string_bytes = 0;
  for (int i = 0; i < argc; i++) string_bytes += strlen(argv[i]) + 1;
  for (char **e = envp; *e; e++) string_bytes += rt_options_owns(*e) ? 0 : strlen(*e) + 1;
  if (string_bytes + words * 8 > MOST_BYTES - 4096) rt_fail("the guest's arguments and environment do not fit its stack");
  uint64_t sp = (top - string_bytes - words * 8) & ~UINT64_C(15);
  cursor = sp;
  word(arguments);
  if (argc <= 0) word(name);
  for (int i = 0; i < argc; i++) word(put_string(argv[i]));
  word(0);
  for (char **e = envp; *e; e++)
    if (!rt_options_owns(*e)) word(put_string(*e));
  word(0);
  auxiliary_at = cursor;
  put_auxiliary(random_addr, platform, name);
  auxiliary_end = cursor;
  return sp;
}
