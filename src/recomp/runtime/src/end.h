/* How a run ends: exactly once, with a finished recording and a run.json that says why. */
#ifndef RT_END_H
#define RT_END_H

#include <stdint.h>

/* Exit codes of the port beside the guest's own; run.json tells them apart for certain. */
#define RT_CODE_LIMIT 124   /* ended from outside or by RECOMP_RT_MAX_TICKS */
#define RT_CODE_RUNTIME 125 /* the runtime cannot go on: settings, host resources, a miss, an unsupported insn */
#define RT_CODE_SIGNAL 128  /* + the guest's signal number */

typedef enum rt_end_kind { RT_END_EXIT, RT_END_SIGNAL, RT_END_TRAP, RT_END_MISS, RT_END_LIMIT } rt_end_kind;

/* Where the run ended, for the report; all zero where it means nothing. */
typedef struct rt_end_place {
  uint64_t pc;   /* guest address */
  uint32_t word; /* the instruction there */
} rt_end_place;

/* Finishes the recording, writes run.json and, unless the guest simply exited, a one-line report on stderr; ends the
 * process. `code` is the guest's exit code, its signal number, or the process' exit code for the other kinds. Of
 * several callers at once the first one wins and the others never return. */
_Noreturn void rt_end(rt_end_kind kind, int code, rt_end_place place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Ends the process with RT_CODE_RUNTIME: a problem of the host or its settings, not of the guest. */
_Noreturn void rt_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A forked guest child owns no recording: from here on rt_end writes nothing but calls `last`, and a signal kills for
 * real. */
void rt_end_in_child(void (*last)(void));

#endif
