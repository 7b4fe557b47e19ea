/* The SD card: each command of file systems, files and directories, and their errors. */
#include "check.h"

#include <nx/files.h>

enum { NO_FILE = NX_ERROR_NO_FILE, EXISTS = NX_ERROR_FILE_EXISTS };

static void check_file(void)
{
    struct nx_file file;
    char text[32] = {0};
    size_t read = 9;
    int64_t size = 0;
    CHECK_OK(nx_file_create("/checks/a.txt", 4));
    check("create it again", nx_file_create("/checks/a.txt", 0), EXISTS);
    check("create in no folder", nx_file_create("/nowhere/a.txt", 0), NO_FILE);
    check("open what is not there", nx_file_open(&file, "/checks/b.txt", NX_READ), NO_FILE);
    CHECK_OK(nx_file_open(&file, "/checks/a.txt", NX_READ | NX_WRITE | NX_APPEND));
    CHECK_OK(nx_file_get_size(&file, &size));
    check("four zeros", (uint64_t)size, 4);
    CHECK_OK(nx_file_write(&file, 2, "hello", 5));
    CHECK_OK(nx_file_flush(&file));
    CHECK_OK(nx_file_get_size(&file, &size));
    check("seven bytes", (uint64_t)size, 7);
    CHECK_OK(nx_file_read(&file, 0, text, sizeof text, &read));
    check("as many as there are", read, 7);
    check("text", (uint64_t)memcmp(text, "\0\0hello", 7), 0);
    CHECK_OK(nx_file_read(&file, 5, text, 1, &read));
    check("one of them", read * 256 + (uint8_t)text[0], 256 + 'l');
    CHECK_OK(nx_file_read(&file, 7, text, sizeof text, &read));
    check("none at the end", read, 0);
    CHECK_OK(nx_file_set_size(&file, 3));
    CHECK_OK(nx_file_get_size(&file, &size));
    check("three bytes", (uint64_t)size, 3);
    nx_file_close(&file);
    CHECK_OK(nx_file_open(&file, "/checks/a.txt", NX_READ));
    check("write without the right", nx_file_write(&file, 0, "x", 1) != 0, 1);
    nx_file_close(&file);
    CHECK_OK(nx_file_open(&file, "/checks/a.txt", NX_WRITE));
    check("read without the right", nx_file_read(&file, 0, text, 1, &read) != 0, 1);
    check("append without the right", nx_file_write(&file, 3, "x", 1) != 0, 1);
    CHECK_OK(nx_file_write(&file, 0, "x", 1));
    nx_file_close(&file);
}

static void check_names(void)
{
    struct nx_timestamps stamps;
    uint32_t type = 9;
    CHECK_OK(nx_entry_type("/checks", &type));
    check("a folder", type, 0);
    CHECK_OK(nx_entry_type("//checks/./x/../a.txt", &type));
    check("a file", type, 1);
    check("nothing", nx_entry_type("/checks/none", &type), NO_FILE);
    CHECK_OK(nx_timestamps("/checks/a.txt", &stamps));
    check("times of nothing", nx_timestamps("/checks/none", &stamps), NO_FILE);
    CHECK_OK(nx_rename_file("/checks/a.txt", "/checks/c.txt"));
    check("its old name", nx_entry_type("/checks/a.txt", &type), NO_FILE);
    check("rename nothing", nx_rename_file("/checks/a.txt", "/checks/d.txt"), NO_FILE);
    CHECK_OK(nx_entry_type("/../../checks/c.txt", &type));
    CHECK_OK(nx_file_create("/checks/e.txt", 0));
    check("rename onto another", nx_rename_file("/checks/c.txt", "/checks/e.txt"), EXISTS);
    CHECK_OK(nx_file_delete("/checks/e.txt"));
    check("delete it again", nx_file_delete("/checks/e.txt"), NO_FILE);
    check("delete a folder as a file", nx_file_delete("/checks"), NO_FILE);
}

static void check_folders(void)
{
    static struct nx_directory_entry entries[8];
    struct nx_directory folder;
    int64_t count = 0;
    CHECK_OK(nx_directory_create("/checks/sub"));
    check("create it again", nx_directory_create("/checks/sub"), EXISTS);
    check("create in no folder", nx_directory_create("/nowhere/sub"), NO_FILE);
    CHECK_OK(nx_file_create("/checks/b", 10));
    CHECK_OK(nx_directory_open(&folder, "/checks", NX_DIRECTORIES | NX_FILES));
    CHECK_OK(nx_directory_count(&folder, &count));
    check("three entries", (uint64_t)count, 3);
    CHECK_OK(nx_directory_read(&folder, entries, 2, &count));
    check("two at first", (uint64_t)count, 2);
    check("in order", (uint64_t)(strcmp(entries[0].name, "b") || strcmp(entries[1].name, "c.txt")), 0);
    check("a file of ten bytes", entries[0].type * 100u + (uint64_t)entries[0].size, 110);
    CHECK_OK(nx_directory_read(&folder, entries, 8, &count));
    check("then one", (uint64_t)count * 10 + entries[0].type, 10);
    CHECK_OK(nx_directory_read(&folder, entries, 8, &count));
    check("then none", (uint64_t)count, 0);
    nx_directory_close(&folder);
    CHECK_OK(nx_directory_open(&folder, "/checks", NX_DIRECTORIES));
    CHECK_OK(nx_directory_count(&folder, &count));
    check("one folder", (uint64_t)count, 1);
    nx_directory_close(&folder);
    check("open a file as a folder", nx_directory_open(&folder, "/checks/b", 3), NO_FILE);
    check("open nothing", nx_directory_open(&folder, "/none", 3), NO_FILE);
    check("delete a folder that is not empty", nx_directory_delete("/checks") != 0, 1);
    CHECK_OK(nx_rename_directory("/checks/sub", "/checks/other"));
    CHECK_OK(nx_directory_delete("/checks/other"));
    check("delete it again", nx_directory_delete("/checks/other"), NO_FILE);
    CHECK_OK(nx_directory_delete_all("/checks"));
    check("all gone", nx_directory_open(&folder, "/checks", 3), NO_FILE);
}

static void check_service(void)
{
    struct nx_service service = must_get("fsp-srv"), device, save;
    uint64_t attribute[9] = {0};
    CHECK_OK(nx_call_object(&service, 400, &device));
    check("a card is in", ask_byte(&device, 0), 1);
    check("no game card", ask_byte(&device, 200), 0);
    nx_close(&device);
    check("access log", ask_word(&service, 1005), 0);
    struct nx_request r = {.command = 51, .in = attribute, .in_size = sizeof attribute, .object = &save};
    nx_result result = nx_call(&service, &r);
    check("save data", result == 0 || result == 0x7D402, 1);
    if (!result) nx_close(&save);
    nx_close(&service);
}

void check_files(void)
{
    int64_t free_bytes = 0, bytes = 0;
    CHECK_OK(nx_card_open());
    CHECK_OK(nx_free_space(&free_bytes));
    CHECK_OK(nx_total_space(&bytes));
    check("space", free_bytes > 0 && free_bytes <= bytes, 1);
    CHECK_OK(nx_directory_create("/checks"));
    check_file();
    check_names();
    check_folders();
    CHECK_OK(nx_commit());
    nx_card_close();
    check_service();
}
