#include <nx/files.h>
#include <string.h>

enum { PATH_SIZE = 0x301 };

static struct nx_service service, card;

nx_result nx_card_open(void)
{
    uint64_t placeholder = 0;
    NX_TRY(nx_get_service(&service, "fsp-srv"));
    NX_TRY(nx_make_domain(&service));
    struct nx_request r = {.command = 1, .in = &placeholder, .in_size = sizeof placeholder, .send_pid = true};
    NX_TRY(nx_call(&service, &r));
    return nx_call_object(&service, 18, &card);
}

void nx_card_close(void)
{
    nx_close(&card);
    nx_close(&service);
}

/* A command with one path or two. */
static nx_result call(uint32_t command, const char *path, const char *other, struct nx_request *r)
{
    char paths[2][PATH_SIZE] = {0};
    if (strlen(path) >= PATH_SIZE || (other && strlen(other) >= PATH_SIZE)) return NX_RESULT(2, 6003);
    memcpy(paths[0], path, strlen(path));
    r->command = command;
    r->buffers[0] = (struct nx_buffer){paths[0], PATH_SIZE, NX_IN | NX_POINTER};
    if (other) {
        memcpy(paths[1], other, strlen(other));
        r->buffers[1] = (struct nx_buffer){paths[1], PATH_SIZE, NX_IN | NX_POINTER};
    }
    return nx_call(&card, r);
}

static nx_result call_path(uint32_t command, const char *path)
{
    struct nx_request r = {0};
    return call(command, path, NULL, &r);
}

static nx_result call_path_out(uint32_t command, const char *path, void *out, size_t size)
{
    struct nx_request r = {.out = out, .out_size = size};
    return call(command, path, NULL, &r);
}

static nx_result call_open(uint32_t command, const char *path, uint32_t mode, struct nx_service *object)
{
    struct nx_request r = {.in = &mode, .in_size = sizeof mode, .object = object};
    return call(command, path, NULL, &r);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

nx_result nx_file_create(const char *path, int64_t size)
{
    struct {
        uint32_t option, pad;
        int64_t size;
    } in = {0, 0, size};
    struct nx_request r = {.in = &in, .in_size = sizeof in};
    return call(0, path, NULL, &r);
}

nx_result nx_file_delete(const char *path)
{
    return call_path(1, path);
}

nx_result nx_file_open(struct nx_file *file, const char *path, uint32_t mode)
{
    return call_open(8, path, mode, &file->service);
}

struct span {
    uint32_t option, pad;
    int64_t offset;
    uint64_t size;
};

nx_result nx_file_read(struct nx_file *file, int64_t offset, void *bytes, size_t size, size_t *read)
{
    struct span in = {0, 0, offset, size};
    uint64_t answer = 0;
    struct nx_request r = {.command = 0, .in = &in, .in_size = sizeof in, .out = &answer, .out_size = sizeof answer,
                           .buffers = {{bytes, size, NX_OUT | NX_ALIAS}}};
    NX_TRY(nx_call(&file->service, &r));
    *read = answer;
    return 0;
}

nx_result nx_file_write(struct nx_file *file, int64_t offset, const void *bytes, size_t size)
{
    struct span in = {0, 0, offset, size};
    struct nx_request r = {.command = 1, .in = &in, .in_size = sizeof in,
                           .buffers = {{bytes, size, NX_IN | NX_ALIAS}}};
    return nx_call(&file->service, &r);
}

nx_result nx_file_flush(struct nx_file *file)
{
    return nx_call_plain(&file->service, 2, NULL, 0);
}

nx_result nx_file_set_size(struct nx_file *file, int64_t size)
{
    return nx_call_plain(&file->service, 3, &size, sizeof size);
}

nx_result nx_file_get_size(struct nx_file *file, int64_t *size)
{
    return nx_call_out(&file->service, 4, size, sizeof *size);
}

void nx_file_close(struct nx_file *file)
{
    nx_close(&file->service);
}

/* ---- directories ------------------------------------------------------------------------------------------------ */

nx_result nx_directory_create(const char *path)
{
    return call_path(2, path);
}

nx_result nx_directory_delete(const char *path)
{
    return call_path(3, path);
}

nx_result nx_directory_delete_all(const char *path)
{
    return call_path(4, path);
}

nx_result nx_directory_open(struct nx_directory *directory, const char *path, uint32_t mode)
{
    return call_open(9, path, mode, &directory->service);
}

nx_result nx_directory_read(struct nx_directory *directory, struct nx_directory_entry *entries, size_t count,
                            int64_t *read)
{
    struct nx_request r = {.command = 0, .out = read, .out_size = sizeof *read,
                           .buffers = {{entries, count * sizeof *entries, NX_OUT | NX_ALIAS}}};
    return nx_call(&directory->service, &r);
}

nx_result nx_directory_count(struct nx_directory *directory, int64_t *count)
{
    return nx_call_out(&directory->service, 1, count, sizeof *count);
}

void nx_directory_close(struct nx_directory *directory)
{
    nx_close(&directory->service);
}

/* ---- the card --------------------------------------------------------------------------------------------------- */

nx_result nx_rename_file(const char *from, const char *to)
{
    struct nx_request r = {0};
    return call(5, from, to, &r);
}

nx_result nx_rename_directory(const char *from, const char *to)
{
    struct nx_request r = {0};
    return call(6, from, to, &r);
}

nx_result nx_entry_type(const char *path, uint32_t *type)
{
    return call_path_out(7, path, type, sizeof *type);
}

nx_result nx_timestamps(const char *path, struct nx_timestamps *stamps)
{
    return call_path_out(14, path, stamps, sizeof *stamps);
}

nx_result nx_free_space(int64_t *bytes)
{
    return call_path_out(11, "/", bytes, sizeof *bytes);
}

nx_result nx_total_space(int64_t *bytes)
{
    return call_path_out(12, "/", bytes, sizeof *bytes);
}

nx_result nx_commit(void)
{
    return nx_call_plain(&card, 10, NULL, 0);
}
