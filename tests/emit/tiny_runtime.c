/* A runtime just large enough for tests of emitted code: memory, a stack with an auxiliary vector, and the supervisor
 * calls that a static musl program makes to print and exit. Exit codes: the guest's; 90 trap, 91 miss, 92 unknown svc.
 */
#include "rt.h"

#include "rt/src/end.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static rt_cpu cpu;
static uint32_t heap_top = 0x60000000u;

_Noreturn void rt_trap(rt_cpu *c, rt_trap_kind kind, uint64_t pc, uint32_t word) {
  (void)c;
  const char *text = kind == RT_TRAP_UNSUPPORTED ? rt_unsupported_text(word) : NULL;
  fprintf(stderr, "trap %d at %#llx: %08x %s\n", kind, (unsigned long long)pc, word, text ? text : "");
  _exit(90);
}

_Noreturn void rt_miss(rt_cpu *c, uint64_t site, uint64_t target) {
  (void)c;
  fprintf(stderr, "miss %#llx -> %#llx\n", (unsigned long long)site, (unsigned long long)target);
  _exit(91);
}

_Noreturn void rt_end(rt_end_kind kind, int code, rt_end_place place, const char *format, ...) {
  (void)kind, (void)place;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  _exit(code);
}

void rt_code_written(rt_cpu *c, uint64_t pc, uint64_t addr) { (void)c, (void)pc, (void)addr; }

void rt_spin(rt_cpu *c, uint64_t pc, int stores) { (void)c, (void)pc, (void)stores; }

uint64_t rt_cntvct(rt_cpu *c) {
  (void)c;
  return 0;
}

static int64_t write_all(rt_cpu *c) {
  int64_t total = 0;
  for (uint64_t i = 0; i < c->x[2]; i++) {
    const uint64_t base = rt_ld64(c->memory, c->x[1] + 16 * i), size = rt_ld64(c->memory, c->x[1] + 16 * i + 8);
    total += write((int)c->x[0], c->memory + (uint32_t)base, size);
  }
  return total;
}

void rt_svc(rt_cpu *c, uint64_t pc, uint32_t imm16) {
  (void)pc, (void)imm16;
  int64_t result = 0;
  switch (c->x[8]) {
    case 29: result = -25; break; /* ioctl: ENOTTY */
    case 64: result = write((int)c->x[0], c->memory + (uint32_t)c->x[1], c->x[2]); break;
    case 66: result = write_all(c); break;
    case 93:
    case 94: exit((int)c->x[0]);
    case 96: /* set_tid_address */
    case 178: result = 1; break;
    case 123: /* sched_getaffinity: one processor */
      rt_st64(c->memory, c->x[2], 1);
      result = 8;
      break;
    case 135: break; /* rt_sigprocmask */
    case 214: result = 0; break; /* brk: none to be had */
    case 215: break; /* munmap */
    case 222: /* mmap */
      result = heap_top;
      heap_top += (c->x[1] + 0xffff) & ~0xffffu;
      break;
    case 226: break; /* mprotect */
    default: fprintf(stderr, "unknown svc %llu\n", (unsigned long long)c->x[8]); _exit(92);
  }
  c->x[0] = (uint64_t)result;
}

static uint64_t push_string(uint64_t sp, const char *text) {
  const size_t size = strlen(text) + 1;
  memcpy(cpu.memory + sp - size, text, size);
  return sp - size;
}

static uint64_t make_stack(int argc, char **argv) {
  uint64_t sp = 0x7fff0000u, args[16], values[48];
  int n = 0, count = argc < 16 ? argc : 16;
  for (int i = 0; i < count; i++) args[i] = sp = push_string(sp, argv[i]);
  values[n++] = (uint64_t)count;
  for (int i = 0; i < count; i++) values[n++] = args[i];
  values[n++] = 0;
  values[n++] = 0;
  const uint64_t auxv[][2] = {{3, rt_guest.phdr}, {4, rt_guest.phent}, {5, rt_guest.phnum}, {6, 4096},
                              {9, rt_guest.entry}, {25, sp}, {0, 0}};
  for (size_t i = 0; i < sizeof auxv / sizeof *auxv; i++) values[n++] = auxv[i][0], values[n++] = auxv[i][1];
  sp = (sp - 8 * (uint64_t)n) & ~UINT64_C(15);
  memcpy(cpu.memory + sp, values, 8 * (size_t)n);
  return sp;
}

int main(int argc, char **argv) {
  const struct rlimit stack = {1u << 30, RLIM_INFINITY};
  struct rlimit now;
  if (!getrlimit(RLIMIT_STACK, &now) && now.rlim_cur < stack.rlim_cur && now.rlim_cur != RLIM_INFINITY &&
      !setrlimit(RLIMIT_STACK, &stack))
    execv("/proc/self/exe", argv);
  cpu.memory = mmap(NULL, (UINT64_C(1) << 32) + 2 * 65536, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (cpu.memory == MAP_FAILED) return 99;
  cpu.memory += 65536;
  for (uint32_t i = 0; i < rt_guest.segment_count; i++) {
    const rt_segment *s = &rt_guest.segments[i];
    memcpy(cpu.memory + s->base, rt_guest.blob + s->init_offset, s->init_size);
  }
  rt_dispatch_init();
  cpu.monitor_addr = ~UINT64_C(0);
  cpu.sp = make_stack(argc, argv);
  rt_run(&cpu, rt_guest.entry, 1);
  return 98;
}
