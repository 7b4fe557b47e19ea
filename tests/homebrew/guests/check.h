/* A check prints one line: "ok NAME" or "WRONG NAME: found X, expected Y". Expected values stand in the source. */
#ifndef CHECK_H
#define CHECK_H

#include <nx/ipc.h>
#include <nx/svc.h>
#include <stdio.h>
#include <string.h>

enum {
    INVALID_SIZE = 0xCA01, INVALID_ADDRESS = 0xCC01, INVALID_STATE = 0xD401, INVALID_PERMISSION = 0xD801,
    INVALID_RANGE = 0xDC01, INVALID_PRIORITY = 0xE001, INVALID_CORE = 0xE201, INVALID_HANDLE = 0xE401,
    INVALID_COMBINATION = 0xE801, TIMED_OUT = 0xEA01, CANCELLED = 0xEC01, OUT_OF_RANGE = 0xEE01, INVALID_ENUM = 0xF001,
    NOT_FOUND = 0xF201, WRONG_STATE = 0xFA01, UNKNOWN_COMMAND = 0x1BA0A,
};

static inline void check(const char *name, uint64_t found, uint64_t expected)
{
    if (found == expected) printf("ok %s\n", name);
    else printf("WRONG %s: found %#lx, expected %#lx\n", name, found, expected);
}

/* Text that both judges must agree on. */
static inline void show(const char *name, uint64_t value)
{
    printf("%s = %#lx\n", name, value);
}

#define CHECK_OK(call) check(#call, (call), 0)

/* A session of a service, without the SDK around it. */
static inline struct nx_service must_get(const char *name)
{
    struct nx_service service = {0};
    nx_result result = nx_get_service(&service, name);
    char line[32];
    snprintf(line, sizeof line, "service %s", name);
    check(line, result, 0);
    return service;
}

static inline uint32_t ask_word(struct nx_service *service, uint32_t command)
{
    uint32_t word = 0xDEADBEEF;
    nx_call_out(service, command, &word, sizeof word);
    return word;
}

static inline uint8_t ask_byte(struct nx_service *service, uint32_t command)
{
    uint8_t byte = 0xEE;
    nx_call_out(service, command, &byte, sizeof byte);
    return byte;
}

static inline uint64_t ask_long(struct nx_service *service, uint32_t command)
{
    uint64_t value = 0xDEADBEEF;
    nx_call_out(service, command, &value, sizeof value);
    return value;
}

static inline nx_result ask(struct nx_service *service, uint32_t command)
{
    return nx_call_plain(service, command, NULL, 0);
}

void check_kernel(void);
void check_memory(void);
void check_threads(void);
void check_messages(void);
void check_settings(void);
void check_applet(void);
void check_input(void);
void check_time(void);
void check_files(void);
void check_audio(void);
void check_display(void);
void check_waiting(void);
void check_network(void);

#endif
