/* fsp-srv: file systems. */
#define _GNU_SOURCE
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clocks.h"
#include "services.h"

#define FREE_SPACE (UINT64_C(1) << 34)

enum { FOLDER, FILE_ENTRY };

/* The place that the n-th path of a request names. */
static hz_result place_of(const hz_instance *self, const hz_request *r, uint32_t n, hz_place *place) {
  char path[HZ_PATH_SIZE];
  if (!hz_in_text(r, n, path, sizeof path) || path[0] != '/') return HZ_FS_INVALID_PATH;
  return hz_files_find((hz_volume)self->number, path, place);
}

static hz_result leave(const hz_place *place, int failed) {
  const hz_result result = failed ? hz_files_error() : HZ_OK;
  if (place->folder >= 0) close(place->folder);
  return result;
}

/* -1 = nothing is there. */
static int kind_of(const hz_place *place) {
  struct stat st;
  if (place->is_program) return FILE_ENTRY;
  if (fstatat(place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW)) return -1;
  return S_ISDIR(st.st_mode) ? FOLDER : S_ISREG(st.st_mode) ? FILE_ENTRY : -1;
}

static hz_result create_file(hz_instance *self, hz_request *r) {
  hz_place place;
  const hz_result result = place_of(self, r, 0, &place);
  if (result) return result;
  int fd = openat(place.folder, place.name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  const hz_result made = leave(&place, fd < 0 || ftruncate(fd, (off_t)hz_get64(r, 8)));
  if (fd >= 0) close(fd);
  return made;
}

static hz_result delete_file(hz_instance *self, hz_request *r) {
  hz_place place;
  const hz_result result = place_of(self, r, 0, &place);
  return result ? result : leave(&place, unlinkat(place.folder, place.name, 0));
}

static hz_result create_folder(hz_instance *self, hz_request *r) {
  hz_place place;
  const hz_result result = place_of(self, r, 0, &place);
  return result ? result : leave(&place, mkdirat(place.folder, place.name, 0755));
}

static hz_result delete_folder(hz_instance *self, hz_request *r) {
  hz_place place;
  const hz_result result = place_of(self, r, 0, &place);
  return result ? result : leave(&place, unlinkat(place.folder, place.name, AT_REMOVEDIR));
}

#define DEEPEST 64

/* Removes what is in a folder, by the sorted list that programs see too. 0, or -1 with errno. */
static int clean(int parent, const char *name, int depth) {
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || depth == DEEPEST) return -1;
  hz_names names = hz_folder_names(fd);
  int failed = 0;
  for (uint64_t i = 0; i < names.count && !failed; i++) {
    const char *entry = names.names[i];
    struct stat st;
    if (fstatat(fd, entry, &st, AT_SYMLINK_NOFOLLOW)) failed = -1;
    else if (!S_ISDIR(st.st_mode)) failed = unlinkat(fd, entry, 0);
    else failed = clean(fd, entry, depth + 1) ? -1 : unlinkat(fd, entry, AT_REMOVEDIR);
  }
  hz_names_free(&names);
  close(fd);
  return failed;
}

static hz_result clean_folder(hz_instance *self, hz_request *r) {
  hz_place place;
  const hz_result result = place_of(self, r, 0, &place);
  return result ? result : leave(&place, clean(place.folder, place.name, 0));
}

static hz_result delete_folder_recursively(hz_instance *self, hz_request *r) {
  hz_place place;
  const hz_result result = place_of(self, r, 0, &place);
  if (result) return result;
  return leave(&place, clean(place.folder, place.name, 0) || unlinkat(place.folder, place.name, AT_REMOVEDIR));
}

/* What is there already is not replaced. */
static hz_result rename_entry(hz_instance *self, hz_request *r) {
  hz_place from, to;
  hz_result result = place_of(self, r, 0, &from);
  if (result) return result;
  result = place_of(self, r, 1, &to);
  if (!result) {
    if (kind_of(&to) >= 0) errno = EEXIST;
    result = leave(&to, kind_of(&to) >= 0 || renameat(from.folder, from.name, to.folder, to.name));
  }
  leave(&from, 0);
  return result;
}

static hz_result get_entry_type(hz_instance *self, hz_request *r) {
  hz_place place;
  const hz_result result = place_of(self, r, 0, &place);
  if (result) return result;
  const int kind = kind_of(&place);
  leave(&place, 0);
  if (kind < 0) return HZ_FS_NOT_FOUND;
  hz_put32(r, (uint32_t)kind);
  return HZ_OK;
}

static hz_result open_file(hz_instance *self, hz_request *r) {
  hz_place place;
  const uint32_t mode = hz_get32(r, 0);
  const hz_result result = place_of(self, r, 0, &place);
  if (result) return result;
  int fd = -1;
  if (place.is_program) fd = HZ_PROGRAM_FD;
  else if (kind_of(&place) == FILE_ENTRY)
    fd = openat(place.folder, place.name, (mode & HZ_FILE_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
  else errno = ENOENT;
  const hz_result opened = leave(&place, fd == -1);
  if (!opened) hz_give_object(r, hz_file_new(fd, fd == HZ_PROGRAM_FD ? HZ_FILE_READ : mode));
  return opened;
}

static hz_result open_folder(hz_instance *self, hz_request *r) {
  hz_place place;
  const hz_result result = place_of(self, r, 0, &place);
  if (result) return result;
  int fd = -1;
  if (kind_of(&place) == FOLDER) fd = openat(place.folder, place.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  else errno = ENOENT;
  const hz_result opened = leave(&place, fd < 0);
  if (!opened) hz_give_object(r, hz_folder_new(fd, hz_get32(r, 0)));
  return opened;
}

static hz_result get_space(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put64(r, FREE_SPACE);
  return HZ_OK;
}

/* The same for every file: what the host says would differ from run to run. */
static hz_result get_time_stamp(hz_instance *self, hz_request *r) {
  hz_place place;
  const hz_result result = place_of(self, r, 0, &place);
  if (result) return result;
  const int kind = kind_of(&place);
  leave(&place, 0);
  if (kind < 0) return HZ_FS_NOT_FOUND;
  for (int i = 0; i < 3; i++) hz_put64(r, HZ_EPOCH_S);
  hz_put64(r, 1);
  return HZ_OK;
}

static const hz_command system_commands[] = {
    {0, "CreateFile", create_file},
    {1, "DeleteFile", delete_file},
    {2, "CreateDirectory", create_folder},
    {3, "DeleteDirectory", delete_folder},
    {4, "DeleteDirectoryRecursively", delete_folder_recursively},
    {5, "RenameFile", rename_entry},
    {6, "RenameDirectory", rename_entry},
    {7, "GetEntryType", get_entry_type},
    {8, "OpenFile", open_file},
    {9, "OpenDirectory", open_folder},
    {10, "Commit", hz_success},
    {11, "GetFreeSpaceSize", get_space},
    {12, "GetTotalSpaceSize", get_space},
    {13, "CleanDirectoryRecursively", clean_folder},
    {14, "GetFileTimeStampRaw", get_time_stamp},
};
HZ_INTERFACE(hz_file_system, "fs.IFileSystem", system_commands, NULL);

static hz_result open_sd_card(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&hz_file_system, NULL, HZ_SD_CARD));
  return HZ_OK;
}

static hz_result no_save_data(hz_instance *self, hz_request *r) {
  (void)self, (void)r;
  return HZ_FS_TARGET_NOT_FOUND;
}

static hz_result open_data_storage(hz_instance *self, hz_request *r) {
  (void)self;
  if (hz_romfs_size() == 0) return HZ_FS_TARGET_NOT_FOUND;
  hz_give_object(r, hz_storage_new());
  return HZ_OK;
}

static hz_result yes(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, 1);
  return HZ_OK;
}

static hz_result no(hz_instance *self, hz_request *r) {
  (void)self;
  hz_put8(r, 0);
  return HZ_OK;
}

static const hz_command operator_commands[] = {{0, "IsSdCardInserted", yes}, {200, "IsGameCardInserted", no}};
static HZ_INTERFACE(device_operator, "fs.IDeviceOperator", operator_commands, NULL);

static hz_result open_device_operator(hz_instance *self, hz_request *r) {
  (void)self;
  hz_give_object(r, hz_instance_new(&device_operator, NULL, 0));
  return HZ_OK;
}

static const hz_command commands[] = {
    {1, "SetCurrentProcess", hz_success},
    {2, "OpenDataFileSystemByCurrentProcess", no_save_data},
    {18, "OpenSdCardFileSystem", open_sd_card},
    {51, "OpenSaveDataFileSystem", no_save_data},
    {52, "OpenSaveDataFileSystemBySystemSaveDataId", no_save_data},
    {53, "OpenReadOnlySaveDataFileSystem", no_save_data},
    {200, "OpenDataStorageByCurrentProcess", open_data_storage},
    {400, "OpenDeviceOperator", open_device_operator},
    {1003, "DisableAutoSaveDataCreation", hz_success},
    {1004, "SetGlobalAccessLogMode", hz_success},
    {1005, "GetGlobalAccessLogMode", hz_zero32},
};
HZ_INTERFACE(hz_fsp, "fsp-srv", commands, NULL);
