/* The program's own file, from which it reads its RomFS: its image as loaded, then an asset section with the RomFS. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../end.h"
#include "../../options.h"
#include "files.h"
#include "rt.h"

#define ASSET_MAGIC 0x54455341u /* "ASET" */
#define HEADER_SIZE 0x38u

static int romfs = -1;
static char romfs_path[4096];
static uint64_t romfs_size, image_size;
static bool is_ready;

static uint32_t image_base(void) { return rt_guest.image_count ? rt_guest.images[0].base : rt_guest.entry; }

static uint64_t end_of_image(void) {
  uint64_t end = 0;
  const uint32_t base = image_base();
  for (uint32_t i = 0; i < rt_guest.segment_count; i++) {
    const rt_segment *s = &rt_guest.segments[i];
    const bool ours = !rt_guest.image_count || s->base < rt_guest.images[0].data + rt_guest.images[0].data_size;
    if (ours && s->base >= base && s->base - base + s->init_size > end) end = s->base - base + s->init_size;
  }
  return end;
}

/* What RECOMP_RT_ROMFS names, else what `recomp port` puts beside the port, which need not be there. */
static void open_romfs(void) {
  struct stat st;
  if (rt_opt.romfs) {
    snprintf(romfs_path, sizeof romfs_path, "%s", rt_opt.romfs);
  } else {
    const ssize_t n = readlink("/proc/self/exe", romfs_path, sizeof romfs_path - sizeof ".romfs");
    if (n <= 0) return;
    memcpy(romfs_path + n, ".romfs", sizeof ".romfs");
  }
  romfs = open(romfs_path, O_RDONLY | O_CLOEXEC);
  if (romfs < 0 && !rt_opt.romfs) return;
  if (romfs < 0 || fstat(romfs, &st)) rt_fail("RECOMP_RT_ROMFS: cannot read %s: %s", romfs_path, strerror(errno));
  romfs_size = (uint64_t)st.st_size;
}

static void prepare(void) {
  if (is_ready) return;
  is_ready = true;
  image_size = end_of_image();
  open_romfs();
}

uint64_t hz_program_size(void) {
  prepare();
  return image_size + (romfs_size ? HEADER_SIZE + romfs_size : 0);
}

/* Copies what of [from, from + have) lies in [offset, offset + size). */
static void overlay(uint8_t *to, uint64_t offset, uint64_t size, const void *bytes, uint64_t from, uint64_t have) {
  const uint64_t start = offset > from ? offset : from, end = offset + size < from + have ? offset + size : from + have;
  if (start < end) memcpy(to + (start - offset), (const uint8_t *)bytes + (start - from), end - start);
}

uint64_t hz_romfs_size(void) {
  prepare();
  return romfs_size;
}

void hz_romfs_read(void *to, uint64_t offset, uint64_t size) {
  for (uint8_t *p = to; size > 0;) {
    const ssize_t n = pread(romfs, p, size, (off_t)offset);
    if (n <= 0) rt_fail("RECOMP_RT_ROMFS: cannot read %s: %s", romfs_path, n ? strerror(errno) : "it has shrunk");
    p += n, size -= (uint64_t)n, offset += (uint64_t)n;
  }
}

static void read_assets(uint8_t *to, uint64_t offset, uint64_t size) {
  const uint64_t at = image_size + HEADER_SIZE;
  const uint64_t start = offset > at ? offset : at;
  if (romfs_size && start < offset + size) hz_romfs_read(to + (start - offset), start - at, offset + size - start);
}

uint64_t hz_program_read(uint64_t offset, void *to, uint64_t size) {
  const uint64_t total = hz_program_size();
  if (offset >= total) return 0;
  if (size > total - offset) size = total - offset;
  memset(to, 0, size);
  for (uint32_t i = 0; i < rt_guest.segment_count; i++) {
    const rt_segment *s = &rt_guest.segments[i];
    if (s->base >= image_base() && s->base - image_base() + s->init_size <= image_size)
      overlay(to, offset, size, rt_guest.blob + s->init_offset, s->base - image_base(), s->init_size);
  }
  struct {
    uint32_t magic, version;
    uint64_t icon[2], nacp[2], romfs[2];
  } assets = {ASSET_MAGIC, 0, {HEADER_SIZE, 0}, {HEADER_SIZE, 0}, {HEADER_SIZE, romfs_size}};
  if (romfs_size) overlay(to, offset, size, &assets, image_size, sizeof assets);
  read_assets(to, offset, size);
  return size;
}
