/* The program's storage: the SD card is a folder of RECOMP_RT_ROOT, and its own file is made up of its
 * image and its RomFS. Neither `..` nor a link leads out of a folder. */
#ifndef HZ_FILES_H
#define HZ_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "../result.h"

typedef enum hz_volume { HZ_SD_CARD, HZ_VOLUMES } hz_volume;

#define HZ_PATH_SIZE 0x301

void hz_files_init(void);

/* How the program is called, as its first argument: "sdmc:/switch/NAME.nro", quoted where there are blanks. */
const char *hz_files_program_path(void);

/* Where a path leads: an open folder of the host's and a name in it, which need not exist; "." = the folder itself.
 * The names are those on the host where only letters' cases differ. */
typedef struct hz_place {
  int folder; /* to be closed */
  char name[256];
  bool is_program; /* the program's own file, which the host does not have */
} hz_place;

hz_result hz_files_find(hz_volume volume, const char *path, hz_place *place);

/* What errno means to a program. */
hz_result hz_files_error(void);

/* The program's own file. */
uint64_t hz_program_size(void);
uint64_t hz_program_read(uint64_t offset, void *to, uint64_t size);

/* Its RomFS alone; 0 bytes = it has none. What is read lies within it. */
uint64_t hz_romfs_size(void);
void hz_romfs_read(void *to, uint64_t offset, uint64_t size);

#endif
