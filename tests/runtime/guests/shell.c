/* Runs the commands in its arguments, one call each, and says what came of them: a line of C a command.
 *
 * open PATH FLAGS(octal)  read FD  write FD TEXT  close FD  stat PATH  lstat PATH  list PATH  mkdir PATH  rm PATH
 * rmdir PATH  mv OLD NEW  ln OLD NEW  symlink TEXT PATH  readlink PATH  cd PATH  pwd  dup FD FD  pipe  touch PATH
 * group PID  newgroup PID  pid  kill N  block N
 * fork ( runs the rest in the child, waits, and goes on behind `end` )  exit N  exec PATH ARG  sleep MS  now  env */
#include "guest.h"

#include <stdlib.h>

#define PATH (DATA + 0x1000)
#define OTHER (DATA + 0x3000)
#define BUFFER (DATA + 0x5000)
#define AT_FDCWD (-100)

static int argc, next;
static uint64_t argv;

static const char *word(rt_cpu *c) {
  uint64_t addr = next < argc ? *(uint64_t *)at(c, argv + 8 * (uint64_t)next++) : 0;
  return addr ? at(c, addr) : "";
}

static uint64_t path(rt_cpu *c) { return text_at(c, PATH, word(c)); }

static void list(rt_cpu *c, int64_t fd) {
  int64_t n;
  while ((n = sys(c, 61, fd, BUFFER, 200)) > 0)
    for (int64_t i = 0; i < n; i += *(uint16_t *)at(c, BUFFER + (uint64_t)i + 16))
      say(c, "%s ", (char *)at(c, BUFFER + (uint64_t)i + 19));
  say(c, "= %d\n", (int)n);
}

static void say_text(rt_cpu *c, int64_t n) {
  if (n >= 0) *(char *)at(c, BUFFER + (uint64_t)n) = 0;
  say(c, "%d %s\n", (int)n, n < 0 ? "" : (char *)at(c, BUFFER));
}

static void skip_to_end(rt_cpu *c) {
  for (int depth = 1; depth > 0 && next < argc;) {
    const char *w = word(c);
    depth += strcmp(w, "fork") == 0 ? 1 : strcmp(w, "end") == 0 ? -1 : 0;
  }
}

static void fork_and_wait(rt_cpu *c) {
  int64_t child = sys(c, 220, 17, 0);
  if (child == 0) return;
  int64_t done = sys(c, 260, -1, BUFFER, 0, 0);
  say(c, "child %s, status %x\n", done == child && child > 0 ? "ended" : "?", *(uint32_t *)at(c, BUFFER));
  skip_to_end(c);
}

static int64_t execute(rt_cpu *c) {
  uint64_t where = path(c);
  uint64_t arguments[3] = {text_at(c, BUFFER, "again"), text_at(c, BUFFER + 16, word(c)), text_at(c, BUFFER + 4000, word(c))};
  uint64_t *out = at(c, OTHER);
  out[0] = arguments[0], out[1] = arguments[1], out[2] = *(char *)at(c, arguments[2]) ? arguments[2] : 0, out[3] = 0;
  out[4] = text_at(c, BUFFER + 8000, "PASSED=1"), out[5] = text_at(c, BUFFER + 8100, "RECOMP_RT_ROOT=/"), out[6] = 0;
  return sys(c, 221, where, OTHER, OTHER + 32);
}

static void now(rt_cpu *c) {
  sys(c, 113, 1, BUFFER);
  int64_t *time = at(c, BUFFER);
  say(c, "%lld ms\n", (long long)((time[0] - 1000) * 1000 + time[1] / 1000000));
}

static void command(rt_cpu *c, const char *name) {
  int64_t r = 0;
  if (strcmp(name, "open") == 0) {
    uint64_t where = path(c);
    r = sys(c, 56, AT_FDCWD, where, strtol(word(c), NULL, 8), 0644);
  } else if (strcmp(name, "read") == 0) {
    say_text(c, sys(c, 63, atoi(word(c)), BUFFER, 100));
    return;
  } else if (strcmp(name, "write") == 0) {
    int fd = atoi(word(c));
    const char *text = word(c);
    r = sys(c, 64, fd, text_at(c, BUFFER, text), strlen(text));
  } else if (strcmp(name, "stat") == 0 || strcmp(name, "lstat") == 0) {
    r = sys(c, 79, AT_FDCWD, path(c), BUFFER, *name == 'l' ? 0x100 : 0);
    uint32_t *s = at(c, BUFFER);
    if (r == 0) say(c, "%o %lld ", s[4], (long long)*(int64_t *)at(c, BUFFER + 48));
  } else if (strcmp(name, "list") == 0) {
    int64_t fd = sys(c, 56, AT_FDCWD, path(c), 040000);
    list(c, fd);
    sys(c, 57, fd);
    return;
  } else if (strcmp(name, "readlink") == 0) {
    say_text(c, sys(c, 78, AT_FDCWD, path(c), BUFFER, 100));
    return;
  } else if (strcmp(name, "mv") == 0 || strcmp(name, "ln") == 0) {
    uint64_t from = path(c), to = text_at(c, OTHER, word(c));
    r = *name == 'm' ? sys(c, 276, AT_FDCWD, from, AT_FDCWD, to, 0) : sys(c, 37, AT_FDCWD, from, AT_FDCWD, to, 0);
  } else if (strcmp(name, "symlink") == 0) {
    uint64_t text = path(c);
    r = sys(c, 36, text, AT_FDCWD, text_at(c, OTHER, word(c)));
  } else if (strcmp(name, "close") == 0) r = sys(c, 57, atoi(word(c)));
  else if (strcmp(name, "mkdir") == 0) r = sys(c, 34, AT_FDCWD, path(c), 0755);
  else if (strcmp(name, "rm") == 0) r = sys(c, 35, AT_FDCWD, path(c), 0);
  else if (strcmp(name, "rmdir") == 0) r = sys(c, 35, AT_FDCWD, path(c), 0x200);
  else if (strcmp(name, "touch") == 0) r = sys(c, 88, AT_FDCWD, path(c), 0, 0);
  else if (strcmp(name, "cd") == 0) r = sys(c, 49, path(c));
  else if (strcmp(name, "pwd") == 0) {
    r = sys(c, 17, BUFFER, 100);
    say(c, "%s ", (char *)at(c, BUFFER));
  } else if (strcmp(name, "dup") == 0) {
    int from = atoi(word(c));
    r = sys(c, 24, from, atoi(word(c)), 0);
  } else if (strcmp(name, "pipe") == 0) {
    r = sys(c, 59, BUFFER, 0);
    int32_t *fds = at(c, BUFFER);
    say(c, "%d %d ", fds[0], fds[1]);
  } else if (strcmp(name, "fork") == 0) {
    fork_and_wait(c);
    return;
  } else if (strcmp(name, "end") == 0 || strcmp(name, "exit") == 0) sys(c, 94, atoi(word(c)));
  else if (strcmp(name, "block") == 0) {
    *(uint64_t *)at(c, BUFFER) = 1ull << (atoi(word(c)) - 1);
    r = sys(c, 135, 0, BUFFER, 0, 8);
  } else if (strcmp(name, "group") == 0) r = sys(c, 155, atoi(word(c)));
  else if (strcmp(name, "newgroup") == 0) r = sys(c, 154, atoi(word(c)), 0);
  else if (strcmp(name, "exec") == 0) r = execute(c);
  else if (strcmp(name, "sleep") == 0) {
    int64_t ms = atoi(word(c)), time[2] = {ms / 1000, ms % 1000 * 1000000};
    memcpy(at(c, BUFFER), time, sizeof time);
    r = sys(c, 101, BUFFER, 0);
  } else if (strcmp(name, "now") == 0) {
    now(c);
    return;
  } else if (strcmp(name, "pid") == 0) {
    say(c, "%d of %d\n", (int)sys(c, 172), (int)sys(c, 173));
    return;
  } else if (strcmp(name, "kill") == 0) r = sys(c, 129, sys(c, 172), atoi(word(c)));
  say(c, "%s %d\n", name, (int)r);
}

GUEST(run) {
  argc = (int)*(uint64_t *)at(c, c->sp);
  argv = c->sp + 8;
  for (next = 1; next < argc;) command(c, word(c));
  sys(c, 94, 0);
  return 0;
}

GUEST_MODULE({TEXT + 4, TEXT + 4, run});
