/* Files of the SD card. Paths are absolute within the card: "/folder/file". */
#ifndef NX_FILES_H
#define NX_FILES_H

#include "ipc.h"

enum { NX_READ = 1, NX_WRITE = 2, NX_APPEND = 4, NX_DIRECTORIES = 1, NX_FILES = 2 };
enum { NX_ERROR_NO_FILE = NX_RESULT(2, 1), NX_ERROR_FILE_EXISTS = NX_RESULT(2, 2) };

struct nx_file {
    struct nx_service service;
};

struct nx_directory {
    struct nx_service service;
};

struct nx_directory_entry {
    char name[0x301];
    uint8_t attributes, pad[2], type /* 0 directory, 1 file */, pad_2[3];
    int64_t size;
};

struct nx_timestamps {
    uint64_t created, modified, accessed;
    uint8_t valid, pad[7];
};

nx_result nx_card_open(void);
void nx_card_close(void);

nx_result nx_file_create(const char *path, int64_t size);
nx_result nx_file_delete(const char *path);
nx_result nx_file_open(struct nx_file *file, const char *path, uint32_t mode);
nx_result nx_file_read(struct nx_file *file, int64_t offset, void *bytes, size_t size, size_t *read);
nx_result nx_file_write(struct nx_file *file, int64_t offset, const void *bytes, size_t size);
nx_result nx_file_flush(struct nx_file *file);
nx_result nx_file_set_size(struct nx_file *file, int64_t size);
nx_result nx_file_get_size(struct nx_file *file, int64_t *size);
void nx_file_close(struct nx_file *file);

nx_result nx_directory_create(const char *path);
nx_result nx_directory_delete(const char *path);
nx_result nx_directory_delete_all(const char *path);
nx_result nx_directory_open(struct nx_directory *directory, const char *path, uint32_t mode);
nx_result nx_directory_read(struct nx_directory *directory, struct nx_directory_entry *entries, size_t count,
                            int64_t *read);
nx_result nx_directory_count(struct nx_directory *directory, int64_t *count);
void nx_directory_close(struct nx_directory *directory);

nx_result nx_rename_file(const char *from, const char *to);
nx_result nx_rename_directory(const char *from, const char *to);
nx_result nx_entry_type(const char *path, uint32_t *type);
nx_result nx_timestamps(const char *path, struct nx_timestamps *stamps);
nx_result nx_free_space(int64_t *bytes);
nx_result nx_total_space(int64_t *bytes);
nx_result nx_commit(void);

#endif
