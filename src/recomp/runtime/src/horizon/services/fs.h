/* File systems, files and folders as service objects. */
#ifndef HZ_FS_H
#define HZ_FS_H

#include "../ipc/request.h"
#include "files.h"

extern const hz_interface hz_file_system;

/* An open file or folder; takes over the descriptors. */
hz_instance *hz_file_new(int fd, uint32_t mode);
hz_instance *hz_folder_new(int fd, uint32_t mode);

/* The program's RomFS as bytes. */
hz_instance *hz_storage_new(void);

/* The names in a folder, in order; the descriptor stays the caller's. */
typedef struct hz_names {
  char **names;
  uint64_t count;
} hz_names;
hz_names hz_folder_names(int fd);
void hz_names_free(hz_names *names);

#define HZ_FILE_READ 1u
#define HZ_FILE_WRITE 2u
#define HZ_FILE_APPEND 4u
#define HZ_FOLDERS 1u
#define HZ_FILES 2u
#define HZ_PROGRAM_FD (-2)

#endif
