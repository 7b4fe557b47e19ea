// Faults that the program handles: what the handler is told, going on after mending, leaving by longjmp, guards.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096

static sigjmp_buf out;
static volatile int seen, code;
static void *volatile where;

static void leave(int number, siginfo_t *info, void *context) {
  (void)context;
  seen = number, code = info->si_code, where = info->si_addr;
  siglongjmp(out, 1);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

static void tell(const char *what, const void *expected) {
  printf("%s: signal %d code %d at %s\n", what, seen, code, where == expected ? "the address" : "another address");
  seen = code = 0;
}

__attribute__((noinline)) static int read_it(volatile int *p) { return *p + 1; }
__attribute__((noinline)) static void write_it(volatile int *p) { *p = 7; }

static int kinds(void) {
  char *none = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *only_read = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!sigsetjmp(out, 1)) read_it((int *)16);
  tell("null", (void *)16);
  if (!sigsetjmp(out, 1)) read_it((int *)(none + PAGE));
  tell("PROT_NONE", none + PAGE);
  if (!sigsetjmp(out, 1)) write_it((int *)only_read);
  tell("read only", only_read);
  printf("it reads %d\n", read_it((int *)only_read));
  munmap(none, PAGE);
  if (!sigsetjmp(out, 1)) write_it((int *)none);
  tell("unmapped", none);
  FILE *file = tmpfile();
  int fd = file ? fileno(file) : -1;
  if (fd < 0 || ftruncate(fd, 100)) return 1;
  char *mapped = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
  printf("in the file: %d\n", read_it((int *)mapped));
  if (!sigsetjmp(out, 1)) read_it((int *)(mapped + PAGE));
  tell("behind the file", mapped + PAGE);
  return 0;
}

static void many(void) {
  volatile long count = 0;
  for (volatile int i = 0; i < 20000; i++)
    if (sigsetjmp(out, 1)) count++;
    else write_it((int *)(uintptr_t)(64 + 4 * i));
  printf("%ld faults\n", count);
}

// A write barrier: the handler opens the page, the store is done again.
static char *heap;
static volatile int opened;

static void open_page(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  char *page = heap + ((char *)info->si_addr - heap) / PAGE * PAGE;
  opened++;
  mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

static void barrier(void) {
  heap = mmap(NULL, 64 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  handle(SIGSEGV, open_page, 0);
  uint64_t sum = 0, state = 1;
  double weight = 0.5;
  for (int i = 0; i < 5000; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint64_t at = (state >> 33) % (64 * PAGE / 8);
    ((uint64_t *)heap)[at] += state ^ (uint64_t)i;
    weight = weight * 1.0001 + (double)at;
  }
  for (int i = 0; i < 64 * PAGE / 8; i++) sum += ((uint64_t *)heap)[i];
  printf("%d pages opened, sum %016llx, weight %.3f\n", opened, (unsigned long long)sum, weight);
  handle(SIGSEGV, leave, 0);
}

// The end of a stack, in a thread: its handler needs a stack of its own.
static void *low;

__attribute__((noinline)) static int dive(volatile char *above, int depth) {
  volatile char here[512];
  here[0] = above ? above[0] + 1 : 0;
  if (depth > 1 << 20) return here[0];
  return dive(here, depth + 1) + here[0];
}

static void *deep(void *size) {
  stack_t own = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&own, NULL);
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  size_t stack_size;
  pthread_attr_getstack(&attributes, &low, &stack_size);
  if (!sigsetjmp(out, 1)) printf("no end: %d\n", dive(NULL, 0));
  // musl counts the guard to the stack or not, as the version may be: a page's distance is what is sure.
  printf("the end of a stack: signal %d code %d, %s\n", seen, code,
         (char *)where < (char *)low + PAGE && (char *)where >= (char *)low - 4 * PAGE ? "at its guard" : "elsewhere");
  return size;
}

static void guards(void) {
  handle(SIGSEGV, leave, SA_ONSTACK);
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 18);
  for (int i = 0; i < 3; i++) {
    pthread_create(&thread, &attributes, deep, NULL);
    pthread_join(thread, NULL);
  }
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  handle(SIGSEGV, leave, 0);
  handle(SIGBUS, leave, 0);
  handle(SIGTRAP, leave, 0);
  handle(SIGILL, leave, 0);
  if (argc > 1 && !strcmp(argv[1], "default")) signal(SIGSEGV, SIG_DFL), write_it((int *)8);
  if (argc > 1 && !strcmp(argv[1], "blocked")) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    write_it((int *)8);
  }
  if (kinds()) return 1;
  many();
  barrier();
  guards();
  if (!sigsetjmp(out, 1)) __asm__ volatile("brk #5");
  printf("brk: signal %d code %d\n", seen, code);
  if (!sigsetjmp(out, 1)) __asm__ volatile("udf #0");
  printf("udf: signal %d\n", seen);
  return 0;
}
