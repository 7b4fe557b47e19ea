/* Reads poems from the program's own files, counts them, and keeps a report and a list of visits on the SD card. */
#include <nx/applet.h>
#include <nx/console.h>
#include <nx/files.h>
#include <nx/ipc.h>
#include <nx/pad.h>
#include <nx/romfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "/notebook"
#define REPORT FOLDER "/report.txt"
#define VISITS FOLDER "/visits.txt"

struct count {
    int lines, words, letters;
};

static struct count count_text(const char *text, size_t size)
{
    struct count c = {0};
    bool in_word = false;
    for (size_t i = 0; i < size; i++) {
        bool space = text[i] == ' ' || text[i] == '\n';
        c.lines += text[i] == '\n';
        c.letters += !space;
        c.words += !space && !in_word;
        in_word = !space;
    }
    return c;
}

static nx_result read_whole(const char *path, char **text, size_t *size)
{
    struct nx_romfs_file file;
    NX_TRY(nx_romfs_find(&file, path));
    *text = malloc(file.size + 1);
    if (!*text) return NX_ERROR_MEMORY;
    NX_TRY(nx_romfs_read(&file, 0, *text, file.size, size));
    (*text)[*size] = 0;
    return 0;
}

/* A file with just this text, whatever was there. */
static nx_result write_whole(const char *path, const char *text, size_t size)
{
    struct nx_file file;
    nx_result result = nx_file_create(path, 0);
    if (result && result != NX_ERROR_FILE_EXISTS) return result;
    NX_TRY(nx_file_open(&file, path, NX_WRITE | NX_APPEND));
    NX_TRY(nx_file_set_size(&file, 0));
    NX_TRY(nx_file_write(&file, 0, text, size));
    NX_TRY(nx_file_flush(&file));
    nx_file_close(&file);
    return nx_commit();
}

static nx_result add_visit(int64_t *visits)
{
    static const char line[] = "a visit\n";
    struct nx_file file;
    nx_result result = nx_file_create(VISITS, 0);
    if (result && result != NX_ERROR_FILE_EXISTS) return result;
    NX_TRY(nx_file_open(&file, VISITS, NX_READ | NX_WRITE | NX_APPEND));
    int64_t size = 0;
    NX_TRY(nx_file_get_size(&file, &size));
    NX_TRY(nx_file_write(&file, size, line, sizeof line - 1));
    nx_file_close(&file);
    *visits = size / (int64_t)(sizeof line - 1) + 1;
    return 0;
}

static nx_result read_poems(char *report, size_t room)
{
    struct nx_romfs_entry entry;
    size_t at = 0;
    for (int i = 0; nx_romfs_entry("/poems", i, &entry); i++) {
        char path[0x110], *text = NULL;
        size_t size = 0;
        snprintf(path, sizeof path, "/poems/%s", entry.name);
        NX_TRY(read_whole(path, &text, &size));
        struct count c = count_text(text, size);
        printf("\n\x1b[1;33m%s\x1b[0m\n%s", entry.name, text);
        at += (size_t)snprintf(report + at, room - at, "%-12s %3d lines %3d words %4d letters\n", entry.name, c.lines, c.words,
                               c.letters);
        free(text);
    }
    return 0;
}

static nx_result list_folder(void)
{
    static struct nx_directory_entry entries[4];
    struct nx_directory folder;
    int64_t count = 0;
    NX_TRY(nx_directory_open(&folder, FOLDER, NX_DIRECTORIES | NX_FILES));
    do {
        NX_TRY(nx_directory_read(&folder, entries, 4, &count));
        for (int i = 0; i < count; i++) printf("  %-12s %6ld bytes\n", entries[i].name, entries[i].size);
    } while (count > 0);
    nx_directory_close(&folder);
    return 0;
}

static nx_result keep_notes(void)
{
    static char report[1024];
    int64_t visits = 0;
    NX_TRY(read_poems(report, sizeof report));
    nx_result result = nx_directory_create(FOLDER);
    if (result && result != NX_ERROR_FILE_EXISTS) return result;
    NX_TRY(write_whole(REPORT, report, strlen(report)));
    NX_TRY(add_visit(&visits));
    printf("\n\x1b[1;32mreport\x1b[0m\n%s\n\x1b[1;32mon the card\x1b[0m (visit %ld)\n", report, visits);
    return list_folder();
}

static nx_result run(void)
{
    NX_TRY(nx_applet_open());
    NX_TRY(nx_pad_open());
    NX_TRY(nx_console_open());
    NX_TRY(nx_card_open());
    NX_TRY(nx_romfs_open());
    printf("\x1b[1;36m  Notebook\x1b[0m   Plus leaves\n");
    nx_result result = keep_notes();
    if (result) printf("\x1b[1;31merror %#x\x1b[0m\n", result);
    while (nx_applet_loop() && !(nx_pad_read().buttons & NX_PLUS)) NX_TRY(nx_console_update());
    return result;
}

int main(void)
{
    nx_result result = run();
    nx_romfs_close();
    nx_card_close();
    nx_console_close();
    nx_pad_close();
    nx_applet_close();
    nx_manager_close();
    return (int)result;
}
