/* What the loader told the program, its heap, its own text channel, and how it ends. */
#ifndef NX_PROCESS_H
#define NX_PROCESS_H

#include "types.h"

struct nx_environment {
    nx_handle main_thread, process;
    void *heap;
    size_t heap_size;
    const char *path; /* argv[0]: where this file lies, such as sdmc:/switch/name.nro */
    uint32_t applet_type;
    uint32_t system_version; /* major << 16 | minor << 8 | micro; 0 where the loader did not say */
    uint64_t random_seed[2];
    char *next_path, *next_argv;
    struct {
        uint64_t name;
        nx_handle handle;
    } overrides[8];
    int override_count;
};

extern struct nx_environment nx_environment;

/* The program ends here and now with this result: what main returned, or a service's error. */
_Noreturn void nx_exit(nx_result result);

/* The program ends because of an error that nobody can handle; the system shows the result. */
_Noreturn void nx_fail(nx_result result);

/* One piece of text for whoever runs the program; printf and stderr end here too. Never fails. */
void nx_say(const char *text, size_t size);

/* Where printf writes besides nx_say, or NULL: a console sets it. */
extern void (*nx_text_sink)(const char *text, size_t size);

#endif
