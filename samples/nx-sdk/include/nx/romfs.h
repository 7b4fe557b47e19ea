/* The read-only files that lie in the program's own NRO. After nx_card_open. */
#ifndef NX_ROMFS_H
#define NX_ROMFS_H

#include "types.h"

struct nx_romfs_file {
    uint64_t offset, size; /* in the NRO */
};

struct nx_romfs_entry {
    char name[0x100];
    bool directory;
    uint64_t size;
};

nx_result nx_romfs_open(void);
void nx_romfs_close(void);

/* "/folder/file"; NX_ERROR_NO_FILE where there is none. */
nx_result nx_romfs_find(struct nx_romfs_file *file, const char *path);
nx_result nx_romfs_read(const struct nx_romfs_file *file, uint64_t offset, void *bytes, size_t size, size_t *read);

/* Entry `index` of a directory, directories first, each kind in the order of the table; false past the last. */
bool nx_romfs_entry(const char *path, int index, struct nx_romfs_entry *entry);

#endif
