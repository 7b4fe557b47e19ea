/* The recording folder: what the guest showed, played and read, and how it ended. docs/formats/recording.md. */
#ifndef RT_RECORD_H
#define RT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether anything is recorded at all. */
bool rt_record_on(void);

/* Checks the folder of RECOMP_RT_RECORD; ends the process by rt_fail where it cannot be written. */
void rt_record_init(void);

/* Opens a file of the recording for writing, empty; a descriptor, or -1 where nothing is recorded. */
int rt_record_open(const char *name);

/* Writes all bytes or ends the process by rt_fail: a recording with a hole must not look like a whole one. */
void rt_record_write(int fd, const void *bytes, size_t size);

/* One at a time: guest threads on the one side, the thread that ends the run from outside on the other. */
void rt_record_lock(void);
void rt_record_unlock(void);

/* An input event as the guest read it, in the tick it was read in. */
void rt_record_input(uint64_t tick, unsigned type, unsigned code, int value);

/* An indirect branch to a guest address that nobody discovered. */
void rt_record_miss(uint64_t site, uint64_t target);

/* A supervisor call that the runtime does not know; repeated numbers are counted. */
void rt_record_unknown_svc(uint64_t number);

/* A service or a command of one that nobody implemented, by its name; repeated names are counted. */
void rt_record_unknown_name(const char *name);

/* Flushes everything and writes run.json; nothing can be recorded any more. `kind` is one of run.json's, `code` the process' exit code. */
void rt_record_finish(const char *kind, int code, const char *detail);

/* A forked guest child: forget the recording without touching it. */
void rt_record_forget(void);

#endif
