#include <nx/files.h>
#include <nx/process.h>
#include <nx/romfs.h>
#include <stdlib.h>
#include <string.h>

enum { NRO_HEADER = 0x10, ASSET_MAGIC = 0x54455341, ROMFS_HEADER_SIZE = 0x50, HASH_SEED = 123456789 };
#define NONE 0xFFFFFFFFu

struct directory {
    uint32_t parent, sibling, first_directory, first_file, hash_next, name_length;
    char name[];
};

struct file {
    uint32_t parent, sibling;
    uint64_t offset, size;
    uint32_t hash_next, name_length;
    char name[];
};

static struct nx_file nro;
static uint64_t start, data_start;
static struct {
    uint64_t header_size, directory_hash, directory_hash_size, directories, directories_size, file_hash, file_hash_size,
        files, files_size, data;
} header;
static uint8_t *directories, *files;
static uint32_t *directory_hash, *file_hash;

static nx_result read_exactly(uint64_t offset, void *bytes, size_t size)
{
    size_t done = 0;
    NX_TRY(nx_file_read(&nro, (int64_t)offset, bytes, size, &done));
    return done == size ? 0 : NX_ERROR_ROMFS;
}

static nx_result read_table(void **table, uint64_t offset, uint64_t size)
{
    *table = malloc(size);
    return *table ? read_exactly(start + offset, *table, size) : NX_ERROR_MEMORY;
}

/* NRO header → image size; there the asset header, which says where the file system is. */
static nx_result find_start(void)
{
    uint32_t image[4], assets[14];
    NX_TRY(read_exactly(NRO_HEADER, image, sizeof image));
    NX_TRY(read_exactly(image[2], assets, sizeof assets));
    uint64_t place[2];
    memcpy(place, assets + 10, sizeof place);
    if (assets[0] != ASSET_MAGIC || place[1] < ROMFS_HEADER_SIZE) return NX_ERROR_ROMFS;
    start = image[2] + place[0];
    return 0;
}

nx_result nx_romfs_open(void)
{
    const char *path = nx_environment.path, *colon = strchr(path, ':');
    NX_TRY(nx_file_open(&nro, colon ? colon + 1 : path, NX_READ));
    NX_TRY(find_start());
    NX_TRY(read_exactly(start, &header, sizeof header));
    if (header.header_size != ROMFS_HEADER_SIZE) return NX_ERROR_ROMFS;
    NX_TRY(read_table((void **)&directory_hash, header.directory_hash, header.directory_hash_size));
    NX_TRY(read_table((void **)&directories, header.directories, header.directories_size));
    NX_TRY(read_table((void **)&file_hash, header.file_hash, header.file_hash_size));
    NX_TRY(read_table((void **)&files, header.files, header.files_size));
    data_start = start + header.data;
    return 0;
}

void nx_romfs_close(void)
{
    free(directories);
    free(files);
    free(directory_hash);
    free(file_hash);
    nx_file_close(&nro);
}

static uint32_t bucket(uint32_t parent, const char *name, size_t length, uint64_t table_size)
{
    uint32_t hash = parent ^ HASH_SEED;
    for (size_t i = 0; i < length; i++) hash = (hash >> 5 | hash << 27) ^ (uint8_t)name[i];
    return hash % (uint32_t)(table_size / 4);
}

static const struct directory *directory_at(uint32_t offset)
{
    return (const struct directory *)(directories + offset);
}

static const struct file *file_at(uint32_t offset)
{
    return (const struct file *)(files + offset);
}

static uint32_t find_directory(uint32_t parent, const char *name, size_t length)
{
    uint32_t at = directory_hash[bucket(parent, name, length, header.directory_hash_size)];
    for (; at != NONE; at = directory_at(at)->hash_next) {
        const struct directory *d = directory_at(at);
        if (d->parent == parent && d->name_length == length && memcmp(d->name, name, length) == 0) return at;
    }
    return NONE;
}

static uint32_t find_file(uint32_t parent, const char *name, size_t length)
{
    uint32_t at = file_hash[bucket(parent, name, length, header.file_hash_size)];
    for (; at != NONE; at = file_at(at)->hash_next) {
        const struct file *f = file_at(at);
        if (f->parent == parent && f->name_length == length && memcmp(f->name, name, length) == 0) return at;
    }
    return NONE;
}

/* The directory of a path; the part behind the last slash is left in `rest`. */
static uint32_t walk(const char *path, const char **rest)
{
    uint32_t at = 0;
    for (;;) {
        while (*path == '/') path++;
        const char *slash = strchr(path, '/');
        if (!slash) break;
        at = find_directory(at, path, (size_t)(slash - path));
        if (at == NONE) break;
        path = slash;
    }
    *rest = path;
    return at;
}

nx_result nx_romfs_find(struct nx_romfs_file *file, const char *path)
{
    const char *name;
    uint32_t parent = walk(path, &name);
    uint32_t at = parent == NONE ? NONE : find_file(parent, name, strlen(name));
    if (at == NONE) return NX_ERROR_NO_FILE;
    *file = (struct nx_romfs_file){data_start + file_at(at)->offset, file_at(at)->size};
    return 0;
}

nx_result nx_romfs_read(const struct nx_romfs_file *file, uint64_t offset, void *bytes, size_t size, size_t *read)
{
    if (offset >= file->size) {
        *read = 0;
        return 0;
    }
    if (size > file->size - offset) size = file->size - offset;
    return nx_file_read(&nro, (int64_t)(file->offset + offset), bytes, size, read);
}

static void fill(struct nx_romfs_entry *entry, const char *name, uint32_t length, bool directory, uint64_t size)
{
    size_t most = sizeof entry->name - 1;
    memcpy(entry->name, name, length < most ? length : most);
    entry->name[length < most ? length : most] = 0;
    entry->directory = directory;
    entry->size = size;
}

bool nx_romfs_entry(const char *path, int index, struct nx_romfs_entry *entry)
{
    const char *name;
    uint32_t at = walk(path, &name);
    if (at != NONE && *name) at = find_directory(at, name, strlen(name));
    if (at == NONE) return false;
    uint32_t child = directory_at(at)->first_directory, file = directory_at(at)->first_file;
    for (; child != NONE; child = directory_at(child)->sibling)
        if (index-- == 0) {
            fill(entry, directory_at(child)->name, directory_at(child)->name_length, true, 0);
            return true;
        }
    for (; file != NONE; file = file_at(file)->sibling)
        if (index-- == 0) {
            fill(entry, file_at(file)->name, file_at(file)->name_length, false, file_at(file)->size);
            return true;
        }
    return false;
}
