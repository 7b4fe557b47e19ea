/* Text: building lines with snprintf, taking them apart with strtok and strtol, searching, comparing, copying. */
#include <stdio.h>
#include <string.h>

#include "kernel.h"

static const char *const words[] = {"ember", "kite", "lake", "aurora", "owl", "serpent", "lantern", "crow"};

static size_t write_line(char *line, size_t room, uint64_t r)
{
    int length = snprintf(line, room, "%s %ld %x %s %.3f", words[r & 7], (long)(r >> 8 & 0xffffff) - 5000000, (unsigned)(r >> 32),
                          words[r >> 3 & 7], (double)(r >> 44) / 64.0);
    return (size_t)length;
}

static uint64_t read_line(char *line)
{
    uint64_t sum = 0;
    char *rest;
    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *end;
        long number = strtol(word, &end, 10);
        sum = fold(sum, *end ? strlen(word) : (uint64_t)number);
        for (int i = 0; i < 8; i++) sum += strcmp(word, words[i]) == 0 ? (uint64_t)i : 0;
    }
    return sum;
}

uint64_t kernel(uint64_t size, uint64_t seed)
{
    char line[128], copy[128], text[4096];
    uint64_t hash = 0;
    size_t used = 0;
    for (uint64_t i = 0; i < size; i++) {
        size_t length = write_line(line, sizeof line, next_random(&seed));
        if (used + length + 2 > sizeof text) {
            const char *found = strstr(text, "owl 4");
            hash = fold(hash, found ? (uint64_t)(found - text) : used);
            used = 0;
        }
        memcpy(text + used, line, length + 1);
        used += length;
        strcpy(copy, line);
        hash = fold(hash, read_line(copy));
        hash += (uint64_t)(strrchr(line, 'a') != NULL) + (memchr(text, 'z', used) != NULL);
    }
    return hash;
}
