/* Words that every part of the SDK uses. */
#ifndef NX_TYPES_H
#define NX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0 is success; else module | description << 9. */
typedef uint32_t nx_result;
typedef uint32_t nx_handle;

#define NX_RESULT(module, description) ((nx_result)((module) | (description) << 9))
#define NX_SELF_THREAD 0xFFFF8000u
#define NX_SELF_PROCESS 0xFFFF8001u
#define NX_FOREVER (-1)

enum {
    NX_PAGE = 0x1000,
    NX_ERROR_TIMEOUT = NX_RESULT(1, 117),
    NX_ERROR_NOT_SIGNALLED = NX_RESULT(1, 125),
    NX_ERROR_RELOCATION = NX_RESULT(345, 1),
    NX_ERROR_MEMORY = NX_RESULT(345, 2),
    NX_ERROR_REPLY = NX_RESULT(345, 11),
    NX_ERROR_BUFFER = NX_RESULT(345, 13),
    NX_ERROR_ROMFS = NX_RESULT(345, 90),
};

/* Goes to the caller when a call did not succeed. */
#define NX_TRY(call)                    \
    do {                                \
        nx_result nx_try_ = (call);     \
        if (nx_try_) return nx_try_;    \
    } while (0)

#endif
