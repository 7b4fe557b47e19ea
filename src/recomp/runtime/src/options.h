/* The port's own settings: RECOMP_RT_* variables, so that the guest's arguments and environment stay its own. */
#ifndef RT_OPTIONS_H
#define RT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rt_options {
  const char *record_dir; /* NULL = no recording */
  const char *input_path; /* compiled input script; NULL = no input */
  const char *root;       /* host folder that the guest sees as `/`; NULL = see realtime */
  const char *misses_path; /* file to append indirect-branch misses to; NULL = none */
  bool live;              /* somebody plays over the socket live_fd */
  int live_fd;
  const char *romfs;      /* "horizon": file that the program sees as its RomFS; NULL = none */
  bool trace;             /* "horizon": each service call is told on stderr */
  uint64_t max_ticks;     /* end after that many ticks of 1/60 s; 0 = no end */
  bool realtime;          /* host clock, host random, and without a root the host's files */
  uint64_t seed;          /* of the guest's random sources */
} rt_options;

extern rt_options rt_opt;

/* Reads rt_opt from the environment. A malformed value ends the process with RT_CODE_RUNTIME and a message. */
void rt_options_read(void);

/* Whether an environment string ("NAME=value") is one of the port's settings, which the guest does not see. */
bool rt_options_owns(const char *variable);

#endif
