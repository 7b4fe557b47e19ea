/* Result codes: module in the low nine bits, description above. 0 = success. */
#ifndef HZ_RESULT_H
#define HZ_RESULT_H

#include <stdint.h>

typedef uint32_t hz_result;

#define HZ_RESULT(module, description) ((hz_result)((module) | (description) << 9))
#define HZ_OK 0u

/* The kernel's, module 1. */
#define HZ_OUT_OF_SESSIONS HZ_RESULT(1, 7)
#define HZ_NOT_IMPLEMENTED HZ_RESULT(1, 33)
#define HZ_INVALID_SIZE HZ_RESULT(1, 101)
#define HZ_INVALID_ADDRESS HZ_RESULT(1, 102)
#define HZ_OUT_OF_MEMORY HZ_RESULT(1, 104)
#define HZ_OUT_OF_HANDLES HZ_RESULT(1, 105)
#define HZ_INVALID_STATE_OF_MEMORY HZ_RESULT(1, 106)
#define HZ_INVALID_PERMISSION HZ_RESULT(1, 108)
#define HZ_INVALID_MEMORY_RANGE HZ_RESULT(1, 110)
#define HZ_INVALID_PRIORITY HZ_RESULT(1, 112)
#define HZ_INVALID_CORE HZ_RESULT(1, 113)
#define HZ_INVALID_HANDLE HZ_RESULT(1, 114)
#define HZ_INVALID_POINTER HZ_RESULT(1, 115)
#define HZ_INVALID_COMBINATION HZ_RESULT(1, 116)
#define HZ_TIMED_OUT HZ_RESULT(1, 117)
#define HZ_CANCELLED HZ_RESULT(1, 118)
#define HZ_OUT_OF_RANGE HZ_RESULT(1, 119)
#define HZ_INVALID_ENUM HZ_RESULT(1, 120)
#define HZ_NOT_FOUND HZ_RESULT(1, 121)
#define HZ_BUSY HZ_RESULT(1, 122)
#define HZ_SESSION_CLOSED HZ_RESULT(1, 123)
#define HZ_INVALID_STATE HZ_RESULT(1, 125)

/* IPC framework and services. */
#define HZ_SF_BAD_HEADER HZ_RESULT(10, 211)
#define HZ_SF_UNKNOWN_COMMAND HZ_RESULT(10, 221)
#define HZ_SF_UNKNOWN_OBJECT HZ_RESULT(10, 261)
#define HZ_SM_INVALID_CLIENT HZ_RESULT(21, 2)
#define HZ_SM_INVALID_NAME HZ_RESULT(21, 6)
#define HZ_SM_NOT_REGISTERED HZ_RESULT(21, 7)
#define HZ_FS_NOT_FOUND HZ_RESULT(2, 1)
#define HZ_FS_EXISTS HZ_RESULT(2, 2)
#define HZ_FS_LOCKED HZ_RESULT(2, 7)
#define HZ_FS_TARGET_NOT_FOUND HZ_RESULT(2, 1002)
#define HZ_FS_INVALID_OFFSET HZ_RESULT(2, 3005)
#define HZ_FS_NOT_READABLE HZ_RESULT(2, 6202)
#define HZ_FS_NOT_PERMITTED HZ_RESULT(2, 6203)
#define HZ_FS_EXTENSION_NEEDED HZ_RESULT(2, 6201)
#define HZ_FS_INVALID_PATH HZ_RESULT(2, 6001)
#define HZ_FS_PATH_TOO_LONG HZ_RESULT(2, 6003)
#define HZ_FS_FULL HZ_RESULT(2, 30)
#define HZ_FS_IO HZ_RESULT(2, 1000)
#define HZ_AM_NO_DATA HZ_RESULT(128, 2)
#define HZ_AM_NO_MESSAGE HZ_RESULT(128, 3)
#define HZ_NIFM_NO_CONNECTION HZ_RESULT(110, 300)

/* What a code means, for the end of a run: "2001-0114 (invalid handle)". The text is overwritten by the next call. */
const char *hz_result_text(hz_result result);

#endif
