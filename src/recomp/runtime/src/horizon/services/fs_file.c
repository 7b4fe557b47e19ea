/* IFile and IDirectory. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../end.h"
#include "../../memory.h"
#include "fs.h"

typedef struct file {
  int fd;
  uint32_t mode;
} file;

static const hz_interface file_interface, folder_interface;

hz_instance *hz_file_new(int fd, uint32_t mode) {
  file *f = malloc(sizeof *f);
  if (!f) rt_fail("out of memory for a file");
  *f = (file){fd, mode};
  return hz_instance_new(&file_interface, f, 0);
}

static void close_file(hz_instance *self) {
  file *f = self->state;
  if (f->fd >= 0) close(f->fd);
  free(f);
}

static int64_t size_of(const file *f) {
  struct stat st;
  if (f->fd == HZ_PROGRAM_FD) return (int64_t)hz_program_size();
  return fstat(f->fd, &st) ? -1 : (int64_t)st.st_size;
}

static int64_t read_at(const file *f, uint8_t *to, uint64_t size, uint64_t offset) {
  if (f->fd == HZ_PROGRAM_FD) return (int64_t)hz_program_read(offset, to, size);
  uint64_t done = 0;
  while (done < size) {
    const ssize_t n = pread(f->fd, to + done, size - done, (off_t)(offset + done));
    if (n < 0) return -1;
    if (n == 0) break;
    done += (uint64_t)n;
  }
  return (int64_t)done;
}

static hz_result read_file(hz_instance *self, hz_request *r) {
  const file *f = self->state;
  const int64_t offset = (int64_t)hz_get64(r, 8);
  uint64_t size = hz_get64(r, 16);
  if (!(f->mode & HZ_FILE_READ)) return HZ_FS_NOT_READABLE;
  if (offset < 0) return HZ_FS_INVALID_OFFSET;
  if (r->out_count && size > r->out[0].size) size = r->out[0].size;
  uint8_t *to = size ? hz_out(r, 0, size) : NULL;
  if (size && !to) return HZ_INVALID_STATE_OF_MEMORY; /* libnx then reads into another buffer */
  const int64_t n = size ? read_at(f, to, size, (uint64_t)offset) : 0;
  if (n < 0) return hz_files_error();
  hz_put64(r, (uint64_t)n);
  return HZ_OK;
}

static hz_result write_file(hz_instance *self, hz_request *r) {
  const file *f = self->state;
  const int64_t offset = (int64_t)hz_get64(r, 8), end = size_of(f);
  const uint64_t size = hz_get64(r, 16);
  if (!(f->mode & HZ_FILE_WRITE)) return HZ_FS_NOT_PERMITTED;
  const uint8_t *from = size ? hz_in(r, 0, size) : NULL;
  if (size && !from) return HZ_INVALID_POINTER;
  if (offset < 0 || (offset > end && !(f->mode & HZ_FILE_APPEND))) return HZ_FS_INVALID_OFFSET;
  if (offset + (int64_t)size > end && !(f->mode & HZ_FILE_APPEND)) return HZ_FS_EXTENSION_NEEDED;
  for (uint64_t done = 0; done < size;) {
    const ssize_t n = pwrite(f->fd, from + done, size - done, (off_t)(offset + (int64_t)done));
    if (n < 0) return hz_files_error();
    done += (uint64_t)n;
  }
  return HZ_OK;
}

static hz_result set_size(hz_instance *self, hz_request *r) {
  const file *f = self->state;
  const int64_t size = (int64_t)hz_get64(r, 0);
  if (!(f->mode & HZ_FILE_WRITE)) return HZ_FS_NOT_PERMITTED;
  if (size < 0) return HZ_FS_INVALID_OFFSET;
  return ftruncate(f->fd, (off_t)size) ? hz_files_error() : HZ_OK;
}

static hz_result get_size(hz_instance *self, hz_request *r) {
  const int64_t size = size_of(self->state);
  if (size < 0) return HZ_FS_IO;
  hz_put64(r, (uint64_t)size);
  return HZ_OK;
}

static hz_result operate_range(hz_instance *self, hz_request *r) {
  (void)self;
  static const uint8_t zeros[0x40];
  hz_put_bytes(r, zeros, sizeof zeros);
  return HZ_OK;
}

static const hz_command file_commands[] = {
    {0, "Read", read_file}, {1, "Write", write_file}, {2, "Flush", hz_success},
    {3, "SetSize", set_size}, {4, "GetSize", get_size}, {5, "OperateRange", operate_range},
};
static HZ_INTERFACE(file_interface, "fs.IFile", file_commands, close_file);

/* Folders: their entries are read once, in order. */

typedef struct record {
  char name[HZ_PATH_SIZE];
  uint8_t attributes, pad[2], is_file, pads[3];
  int64_t size;
} record;
_Static_assert(sizeof(record) == 0x310, "as programs expect it");

typedef struct folder {
  record *records;
  uint64_t count, next;
} folder;

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

hz_names hz_folder_names(int fd) {
  hz_names found = {NULL, 0};
  int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = again < 0 ? NULL : fdopendir(again);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    found.names = realloc(found.names, (found.count + 1) * sizeof *found.names);
    if (!found.names || !(found.names[found.count++] = strdup(e->d_name))) rt_fail("out of memory for a folder");
  }
  if (dir) closedir(dir);
  if (found.count) qsort(found.names, found.count, sizeof *found.names, by_name);
  return found;
}

void hz_names_free(hz_names *names) {
  for (uint64_t i = 0; i < names->count; i++) free(names->names[i]);
  free(names->names);
}

static void add_record(folder *d, int fd, const char *name, uint32_t mode) {
  struct stat st;
  if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW)) return;
  const bool is_folder = S_ISDIR(st.st_mode);
  if (!is_folder && !S_ISREG(st.st_mode)) return;
  if (!(mode & (is_folder ? HZ_FOLDERS : HZ_FILES))) return;
  d->records = realloc(d->records, (d->count + 1) * sizeof *d->records);
  if (!d->records) rt_fail("out of memory for a folder");
  record *e = memset(&d->records[d->count++], 0, sizeof *e);
  strncpy(e->name, name, sizeof e->name - 1);
  e->is_file = !is_folder;
  e->size = is_folder ? 0 : (int64_t)st.st_size;
}

hz_instance *hz_folder_new(int fd, uint32_t mode) {
  folder *d = calloc(1, sizeof *d);
  if (!d) rt_fail("out of memory for a folder");
  hz_names names = hz_folder_names(fd);
  for (uint64_t i = 0; i < names.count; i++) add_record(d, fd, names.names[i], mode);
  hz_names_free(&names);
  close(fd);
  return hz_instance_new(&folder_interface, d, 0);
}

static void close_folder(hz_instance *self) {
  folder *d = self->state;
  free(d->records);
  free(d);
}

static hz_result read_folder(hz_instance *self, hz_request *r) {
  folder *d = self->state;
  const uint64_t room = r->out_count ? r->out[0].size / sizeof(record) : 0, left = d->count - d->next;
  const uint64_t n = room < left ? room : left;
  if (n && !rt_memory_put(r->out[0].addr, d->records + d->next, n * sizeof(record))) return HZ_INVALID_POINTER;
  d->next += n;
  hz_put64(r, n);
  return HZ_OK;
}

static hz_result count_entries(hz_instance *self, hz_request *r) {
  const folder *d = self->state;
  hz_put64(r, d->count);
  return HZ_OK;
}

static const hz_command folder_commands[] = {{0, "Read", read_folder}, {1, "GetEntryCount", count_entries}};
static HZ_INTERFACE(folder_interface, "fs.IDirectory", folder_commands, close_folder);
