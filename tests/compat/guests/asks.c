// What programs ask the system about themselves and their terminal, and what they get.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static size_t slurp(const char *path, char *to, size_t size) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) return printf("%s: %s\n", path, strerror(errno)), 0;
  size_t n = 0;
  for (ssize_t got; n < size - 1 && (got = read(fd, to + n, size - 1 - n)) > 0;) n += (size_t)got;
  to[n] = 0;
  close(fd);
  return n;
}

static int data = 5;

static void self(int argc) {
  static char text[1 << 16];
  size_t n = slurp("/proc/self/cmdline", text, sizeof text);
  int strings = 0;
  for (size_t i = 0; i < n; i++) strings += !text[i];
  printf("cmdline: %d of %d, last \"%s\"\n", strings, argc, n > 6 ? text + n - 6 : "");
  n = slurp("/proc/self/environ", text, sizeof text);
  int named = 0, settings = 0;
  for (char *s = text; s < text + n; s += strlen(s) + 1)
    named += !strncmp(s, "ASKED=yes", 10), settings += !strncmp(s, "RECOMP_RT", 9);
  printf("environ: %d, %d\n", named, settings);
  slurp("/proc/self/stat", text, sizeof text);
  printf("stat: pid %d\n", atoi(text) == getpid());
  slurp("/proc/self/maps", text, sizeof text);
  char *stack = strstr(text, "[stack]");
  unsigned long at[3] = {(unsigned long)(uintptr_t)self, (unsigned long)(uintptr_t)&data, (unsigned long)(uintptr_t)&n};
  char found[3][5] = {"", "", ""};
  for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
    unsigned long from, to;
    char mode[5];
    if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3) continue;
    for (int i = 0; i < 3; i++)
      if (at[i] >= from && at[i] < to) strcpy(found[i], mode);
  }
  printf("maps: stack %d, text %s, data %s, local %s\n", !!stack, found[0], found[1], found[2]);
  char link[4096] = "";
  ssize_t size = readlink("/proc/self/exe", link, sizeof link - 1);
  printf("exe: absolute %d\n", size > 0 && link[0] == '/');
  char here[4096];
  size = readlink("/proc/self/cwd", link, sizeof link - 1);
  link[size > 0 ? size : 0] = 0;
  printf("cwd: %d\n", getcwd(here, sizeof here) && !strcmp(here, link));
  int fd = open("text.txt", O_RDONLY);
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  size = readlink(name, link, sizeof link - 1);
  link[size > 0 ? size : 0] = 0;
  printf("fd: %s\n", strrchr(link, '/') ? strrchr(link, '/') : link);
  int again = open(name, O_RDONLY);
  char byte[2] = {0};
  printf("fd opened again: %d\n", read(again, byte, 1) == 1 && lseek(fd, 0, SEEK_CUR) == 0);
  prctl(PR_SET_NAME, "another name");
  prctl(PR_GET_NAME, text);
  printf("name: %s\n", text);
}

static void limits(void) {
  struct utsname u;
  uname(&u);
  printf("machine %s, system %s\n", u.machine, u.sysname);
  struct rlimit r;
  printf("limits %d %d\n", getrlimit(RLIMIT_STACK, &r), getrlimit(RLIMIT_NOFILE, &r));
  printf("page %ld, ticks %ld, page by auxv %lu, secure %lu, platform %s\n", sysconf(_SC_PAGESIZE), sysconf(_SC_CLK_TCK),
         getauxval(AT_PAGESZ), getauxval(AT_SECURE), (char *)getauxval(AT_PLATFORM));
  cpu_set_t cpus;
  printf("processors %d\n", sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) >= 1);
  struct timespec t, before;
  clock_gettime(CLOCK_MONOTONIC, &before);
  clock_gettime(CLOCK_MONOTONIC, &t);
  printf("time goes on %d\n", t.tv_sec > before.tv_sec || (t.tv_sec == before.tv_sec && t.tv_nsec >= before.tv_nsec));
  printf("getpgid %d, getsid %d\n", getpgid(0) == getpgrp(), getsid(0) > 0);
}

static void unknown(void) {
  static const long numbers[] = {4000, 18, 42, 9999};
  for (int i = 0; i < 4; i++) {
    long result = syscall(numbers[i], -1, -1, -1, -1, -1, -1);
    printf("call %ld: %ld %s\n", numbers[i], result, strerror(errno));
  }
}

static void no_terminal(void) {
  struct winsize w;
  struct termios t;
  int fd = open("text.txt", O_RDONLY), pipes[2];
  if (pipe(pipes)) return;
  printf("isatty %d %s", isatty(fd), strerror(errno));
  printf(", %d %s", isatty(pipes[0]), strerror(errno));
  printf(", %d %s\n", isatty(99), strerror(errno));
  printf("TIOCGWINSZ %d %s", ioctl(fd, TIOCGWINSZ, &w), strerror(errno));
  printf(", tcgetattr %d %s", tcgetattr(pipes[0], &t), strerror(errno));
  printf(", tcgetpgrp %d %s", tcgetpgrp(fd), strerror(errno));
  printf(", ttyname %s\n", ttyname(fd) ? "a name" : strerror(errno));
  int waiting = -1;
  if (write(pipes[1], "12345", 5) == 5) ioctl(pipes[0], FIONREAD, &waiting);
  printf("FIONREAD %d\n", waiting);
  printf("controlling terminal: %s\n", open("/dev/tty", O_RDWR) < 0 ? strerror(errno) : "open");
}

static void terminal(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) || unlockpt(master)) {
    printf("pseudo-terminal: %s\n", strerror(errno));
    return;
  }
  char name[64] = "";
  if (ptsname_r(master, name, sizeof name)) printf("ptsname: %s\n", strerror(errno));
  int slave = open(name, O_RDWR | O_NOCTTY);
  printf("slave: %d, a terminal %d, named %d\n", slave >= 0, isatty(slave), ttyname(slave) && !strcmp(ttyname(slave), name));
  struct winsize w = {.ws_row = 33, .ws_col = 77};
  struct termios t;
  ioctl(master, TIOCSWINSZ, &w);
  memset(&w, 0, sizeof w);
  printf("TIOCGWINSZ %d: %d x %d\n", ioctl(slave, TIOCGWINSZ, &w), w.ws_row, w.ws_col);
  printf("tcgetattr %d: echo %d, canonical %d\n", tcgetattr(slave, &t), !!(t.c_lflag & ECHO), !!(t.c_lflag & ICANON));
  char line[64] = "";
  if (write(master, "typed\n", 6) == 6) printf("line of %zd, ", read(slave, line, sizeof line));
  printf("echo of %zd\n", read(master, line, sizeof line));
  cfmakeraw(&t);
  printf("raw %d", tcsetattr(slave, TCSANOW, &t));
  tcgetattr(slave, &t);
  printf(", echo %d\n", !!(t.c_lflag & ECHO));
  if (write(master, "x", 1) == 1) printf("character: %zd\n", read(slave, line, sizeof line));
  if (write(slave, "a\nb", 3) == 3) printf("raw output: %zd\n", read(master, line, sizeof line));
  struct pollfd p = {slave, POLLIN, 0};
  printf("nothing to read: %d\n", poll(&p, 1, 0));
  printf("flush %d, drain %d, speed %d\n", tcflush(slave, TCIOFLUSH), tcdrain(slave), cfgetospeed(&t) == B38400);
  close(master);
  p.events = POLLIN;
  printf("hung up: %d %d\n", poll(&p, 1, 0), !!(p.revents & POLLHUP));
}

int main(int argc, char **argv) {
  (void)argv;
  self(argc);
  limits();
  unknown();
  no_terminal();
  terminal();
  return 0;
}
