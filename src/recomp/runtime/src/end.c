#define _GNU_SOURCE
#include "end.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "options.h"
#include "record.h"
#include "text.h"

static atomic_flag ending = ATOMIC_FLAG_INIT;
static bool in_child;
static void (*last_in_child)(void);

static const char *const kind_names[] = {"exit", "signal", "trap", "miss", "limit"};

static void write_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, bytes, size);
    if (n <= 0) return;
    bytes += n;
    size -= (size_t)n;
  }
}

/* One line, whole or not at all, that a person and a program can read. */
static void report(rt_end_kind kind, int code, rt_end_place place, const char *detail) {
  char line[1024];
  rt_text text = rt_text_over(line, sizeof line - 1);
  rt_text_add(&text, "recomp-rt: {\"kind\":\"%s\",\"code\":%d", kind_names[kind], code);
  if (place.pc) rt_text_add(&text, ",\"pc\":\"0x%llx\"", (unsigned long long)place.pc);
  if (place.word) rt_text_add(&text, ",\"word\":\"%08x\"", place.word);
  rt_text_add(&text, ",\"text\":");
  rt_text_add_string(&text, detail);
  rt_text_add(&text, "}");
  line[text.size] = '\n';
  write_all(STDERR_FILENO, line, text.size + 1);
}

static int process_code(rt_end_kind kind, int code) {
  if (kind == RT_END_EXIT) return code & 0xff;
  return kind == RT_END_SIGNAL ? RT_CODE_SIGNAL + code : code;
}

/* Whoever waits for this process has to see the signal itself; without a core, which would be the port's. */
static void die_by_signal(int number) {
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  signal(number, SIG_DFL);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  raise(number);
}

void rt_end(rt_end_kind kind, int code, rt_end_place place, const char *format, ...) {
  if (atomic_flag_test_and_set(&ending))
    for (;;) pause();
  char detail[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(detail, sizeof detail, format, arguments);
  va_end(arguments);
  if (in_child) last_in_child();
  else rt_record_finish(kind_names[kind], process_code(kind, code), detail);
  bool fault = kind == RT_END_SIGNAL && (code == SIGSEGV || code == SIGBUS);
  bool for_real = kind == RT_END_SIGNAL && (in_child || rt_opt.realtime);
  if (kind != RT_END_EXIT && (fault || !for_real)) report(kind, process_code(kind, code), place, detail);
  if (for_real) die_by_signal(code);
  _exit(process_code(kind, code));
}

void rt_fail(const char *format, ...) {
  char line[512] = "recomp-rt: ";
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line + 11, sizeof line - 12, format, arguments);
  va_end(arguments);
  size_t size = n < 0 ? 11 : (size_t)n > sizeof line - 13 ? sizeof line - 2 : 11 + (size_t)n;
  line[size] = '\n';
  write_all(STDERR_FILENO, line, size + 1);
  _exit(RT_CODE_RUNTIME);
}

void rt_end_in_child(void (*last)(void)) {
  in_child = true;
  last_in_child = last;
}
