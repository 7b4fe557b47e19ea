/* The mmap family, and pointers that lead nowhere. */
#include "guest.h"

#define EFAULT 14
#define EINVAL 22
#define ENOMEM 12
#define EEXIST 17
#define ANON 0x22

GUEST(run) {
  /* brk */
  uint64_t heap = (uint64_t)sys(c, 214, 0);
  EXPECT(c, heap == DATA + DATA_SIZE);
  EXPECT(c, (uint64_t)sys(c, 214, heap + 10000) == heap + 10000);
  memset(at(c, heap), 1, 10000);
  EXPECT(c, (uint64_t)sys(c, 214, heap - 1) == heap + 10000);
  EXPECT(c, (uint64_t)sys(c, 214, heap) == heap);
  EXPECT(c, (uint64_t)sys(c, 214, heap + 4096) == heap + 4096);
  EXPECT(c, *(uint8_t *)at(c, heap) == 0); /* given back and taken again: zero */

  /* mmap: same addresses in every run, high ones first, hints honoured where free */
  uint64_t one = (uint64_t)sys(c, 222, 0, 4096, 3, ANON, -1, 0), two = (uint64_t)sys(c, 222, 0, 8192, 3, ANON, -1, 0);
  EXPECT(c, two == one - 8192);
  say(c, "first mapping %x\n", (unsigned)one);
  EXPECT(c, sys(c, 222, 0x50000000, 4096, 3, ANON, -1, 0) == 0x50000000);
  EXPECT(c, sys(c, 222, 0x4000000000, 4096, 3, ANON, -1, 0) == (int64_t)two - 4096);
  EXPECT(c, sys(c, 222, 0x50000000, 4096, 3, ANON | 0x100000, -1, 0) == -EEXIST);
  EXPECT(c, sys(c, 222, 0x50000800, 4096, 3, ANON | 0x10, -1, 0) == -EINVAL);
  EXPECT(c, sys(c, 222, 0, 0, 3, ANON, -1, 0) == -EINVAL);
  EXPECT(c, sys(c, 222, 0, 1ull << 33, 3, ANON, -1, 0) == -ENOMEM);
  EXPECT(c, sys(c, 222, 0xfffff000, 8192, 3, ANON | 0x10, -1, 0) == -ENOMEM);

  /* mremap keeps contents: in place, elsewhere, shorter */
  memset(at(c, two), 7, 8192);
  uint64_t moved = (uint64_t)sys(c, 216, two, 8192, 65536, 1);
  EXPECT(c, moved != two && *(uint8_t *)at(c, moved + 8191) == 7 && *(uint8_t *)at(c, moved + 65535) == 0);
  EXPECT(c, sys(c, 216, moved, 65536, 4096, 0) == (int64_t)moved);
  EXPECT(c, sys(c, 216, 0x50000000, 4096, 65536, 0) == 0x50000000);
  EXPECT(c, sys(c, 216, 0x50000000, 65536, 4096, 3, 0x60000000) == 0x60000000);
  EXPECT(c, sys(c, 216, 0x50000000, 4096, 8192, 1) == -EFAULT);

  /* A page that a call may not touch is EFAULT, wherever it is. */
  uint64_t page = (uint64_t)sys(c, 222, 0, 8192, 3, ANON, -1, 0);
  EXPECT(c, sys(c, 226, page + 4096, 4096, 1) == 0);
  EXPECT(c, sys(c, 113, 1, page + 4096 - 8) == -EFAULT); /* clock_gettime: half of it read-only */
  EXPECT(c, sys(c, 215, page + 4096, 4096) == 0);
  EXPECT(c, sys(c, 113, 1, page + 4096 - 8) == -EFAULT);
  EXPECT(c, sys(c, 113, 1, 0) == -EFAULT);
  EXPECT(c, sys(c, 113, 1, UINT64_MAX - 4) == -EFAULT);
  EXPECT(c, sys(c, 113, 1, page + (1ull << 32)) == -EFAULT); /* not the page that the low half names */
  EXPECT(c, sys(c, 113, 1, 0xfffffff8) == -EFAULT);
  EXPECT(c, sys(c, 64, 1, page, 8192) == -EFAULT);
  EXPECT(c, sys(c, 64, 1, page, UINT64_MAX) == -EFAULT);
  EXPECT(c, sys(c, 56, -100, page + 4095, 0) != -EFAULT); /* an empty string ends before the hole */
  memset(at(c, page), 'x', 4096);
  EXPECT(c, sys(c, 56, -100, page + 4000, 0) == -EFAULT); /* a string that runs into it */

  /* MADV_DONTNEED */
  EXPECT(c, sys(c, 233, page, 4096, 4) == 0 && *(uint8_t *)at(c, page) == 0);
  sys(c, 94, 0);
  return 0;
}

GUEST_MODULE({TEXT + 4, TEXT + 4, run});
