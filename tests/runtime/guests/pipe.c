/* A thread writes a megabyte into a pipe, far more than it holds; the other one reads it. */
#include "guest.h"

#define FDS DATA
#define TID (DATA + 16)
#define STACK (DATA + 0x8000)
#define BYTES (DATA + 0x10000)
#define SIZE 0x80000

GUEST(child) {
  EXPECT(c, sys(c, 64, *(int32_t *)at(c, FDS + 4), BYTES, SIZE) == SIZE);
  uint64_t pieces[4] = {BYTES, 100000, BYTES, SIZE - 100000};
  memcpy(at(c, STACK - 128), pieces, sizeof pieces);
  EXPECT(c, sys(c, 66, *(int32_t *)at(c, FDS + 4), STACK - 128, 2) == SIZE);
  sys(c, 57, *(int32_t *)at(c, FDS + 4));
  sys(c, 93, 0);
  return 0;
}

GUEST(run) {
  memset(at(c, BYTES), 1, SIZE);
  EXPECT(c, sys(c, 59, FDS, 0) == 0);
  EXPECT(c, sys(c, 220, 0x3d0f00, STACK, TID, 0, TID) > 0);
  int64_t n, total = 0;
  while ((n = sys(c, 63, *(int32_t *)at(c, FDS), DATA + 0x4000, 1000)) > 0) total += n;
  say(c, "%lld bytes, then %d\n", (long long)total, (int)n);
  sys(c, 94, 0);
  return 0;
}

GUEST_MODULE({TEXT + 4, TEXT + 4, child});
