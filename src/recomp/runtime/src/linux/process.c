#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../end.h"
#include "../options.h"
#include "children.h"

#define FIXED_ID 1000 /* process, user and group in deterministic mode */
#define FIRST_THREAD_ID 0x400000 /* real time: above every process of the host */

extern char **environ;

static char *cmdline, *environment;
static size_t cmdline_size, environment_size;
static char exe[4096];
static int id = FIXED_ID, parent = FIXED_ID - 1;

/* Strings one after the other, each with its end; those of the runtime's own are left out. */
static char *join(char **strings, size_t *size) {
  *size = 0;
  for (char **s = strings; *s; s++)
    if (!rt_options_owns(*s)) *size += strlen(*s) + 1;
  char *all = malloc(*size + 1), *at = all;
  if (!all) rt_fail("out of memory for the guest's arguments and environment");
  *all = 0;
  for (char **s = strings; *s; s++)
    if (!rt_options_owns(*s)) at = stpcpy(at, *s) + 1;
  return all;
}

void rt_process_init(int argc, char **argv) {
  for (int i = 0; i < argc; i++) cmdline_size += strlen(argv[i]) + 1;
  cmdline = malloc(cmdline_size + 1);
  if (!cmdline) rt_fail("out of memory for the guest's arguments");
  char *at = cmdline;
  for (int i = 0; i < argc; i++) at = stpcpy(at, argv[i]) + 1;
  environment = join(environ, &environment_size);
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (!rt_opt.realtime || n < 0) strcpy(exe, "/bin/guest");
  if (rt_opt.realtime) {
    id = getpid();
    parent = getppid();
  }
}

int rt_process_id(void) { return id; }

int rt_process_parent(void) { return parent; }

void rt_process_become(int guest_id, int guest_parent) {
  id = guest_id;
  parent = guest_parent;
}

uint32_t rt_process_uid(void) { return rt_opt.realtime ? getuid() : FIXED_ID; }

uint32_t rt_process_gid(void) { return rt_opt.realtime ? getgid() : FIXED_ID; }

uint32_t rt_process_see_uid(uint32_t host_uid) { return host_uid == getuid() ? rt_process_uid() : host_uid; }

uint32_t rt_process_see_gid(uint32_t host_gid) { return host_gid == getgid() ? rt_process_gid() : host_gid; }

const char *rt_process_name(void) {
  const char *slash = cmdline ? strrchr(cmdline, '/') : NULL;
  return slash ? slash + 1 : cmdline;
}

const char *rt_process_cmdline(size_t *size) {
  *size = cmdline_size;
  return cmdline;
}

const char *rt_process_environment(size_t *size) {
  *size = environment_size;
  return environment;
}

const char *rt_process_exe(void) { return exe; }

int rt_process_new_id(void) {
  static int threads;
  return rt_opt.realtime ? FIRST_THREAD_ID + threads++ : rt_children_new_id();
}

bool rt_process_has_children(void) { return rt_children_any(); }

int64_t rt_process_kill(int pid, int number) {
  int host = rt_children_host_id(pid);
  if (!host) return -ESRCH;
  return kill(host, number) ? -errno : 0;
}
