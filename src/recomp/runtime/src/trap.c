#define _GNU_SOURCE
#include "trap.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "end.h"
#include "memory.h"
#include "record.h"
#include "rt.h"
#include "thread.h"

#define FAULT_STACK (UINT64_C(16) << 20) /* bytes of address space: the guest's handlers run there */

/* Signal numbers as AArch64 Linux and the port's exit codes have them. */
#define G_SIGILL 4
#define G_SIGTRAP 5
#define G_SIGBUS 7
#define G_SIGSEGV 11

__attribute__((weak)) bool rt_system_fault(rt_thread *t, const rt_fault *fault) {
  (void)t, (void)fault;
  return false;
}

/* The guest stopped at a word: its handler may send it elsewhere. */
static void offer_trap(rt_cpu *c, int number, int code, uint64_t pc) {
  const int shown = rt_guest.faults == RT_FAULTS_ALL ? RT_FAULTS_ALL : RT_FAULTS_FRAME;
  rt_fault fault = {number, code, pc, pc, shown};
  if (rt_system_fault(rt_thread_of(c), &fault))
    rt_end(RT_END_TRAP, RT_CODE_SIGNAL + number, (rt_end_place){pc, 0},
           "the guest's handler of signal %d went back to the instruction that stops it", number);
}

void rt_trap(rt_cpu *c, rt_trap_kind kind, uint64_t pc, uint32_t word) {
  c->pc = pc;
  const char *text = rt_unsupported_text(word);
  const rt_end_place place = {pc, word};
  switch (kind) {
    case RT_TRAP_BREAKPOINT:
      offer_trap(c, G_SIGTRAP, TRAP_BRKPT, pc);
      rt_end(RT_END_TRAP, RT_CODE_SIGNAL + G_SIGTRAP, place, "breakpoint");
    case RT_TRAP_UNSUPPORTED:
      rt_end(RT_END_TRAP, RT_CODE_RUNTIME, place, "instruction without semantics: %s", text ? text : "?");
    case RT_TRAP_LEFT_OUT: rt_end(RT_END_TRAP, RT_CODE_RUNTIME, place, "call of a function that is left out");
    default:
      offer_trap(c, G_SIGILL, ILL_ILLOPC, pc);
      rt_end(RT_END_TRAP, RT_CODE_SIGNAL + G_SIGILL, place, "undefined instruction");
  }
}

#define CODE_LINE 64 /* bytes: what CTR_EL0 says of the instruction cache */

/* Code that came with the program was translated as it came. */
void rt_code_written(rt_cpu *c, uint64_t pc, uint64_t addr) {
  const uint32_t line = (uint32_t)addr & ~(uint32_t)(CODE_LINE - 1);
  for (uint32_t i = 0; i < rt_guest.segment_count; i++) {
    const rt_segment *s = &rt_guest.segments[i];
    for (uint32_t at = line; s->execute && at < line + CODE_LINE; at += 4) {
      if (at < s->base || at - s->base + 4 > s->init_size || !rt_memory_allows(at, 4, RT_READ)) continue;
      if (memcmp(rt_memory + at, rt_guest.blob + s->init_offset + (at - s->base), 4) == 0) continue;
      c->pc = pc;
      rt_end(RT_END_TRAP, RT_CODE_RUNTIME, (rt_end_place){pc, 0},
             "self-modifying code: the program has changed its own code at 0x%x, which was translated as it came", at);
    }
  }
}

static bool is_new_code(uint64_t target) {
  if (target >= RT_SPACE || (rt_memory_page((uint32_t)target) & (RT_MAPPED | RT_EXEC)) != (RT_MAPPED | RT_EXEC)) return false;
  for (uint32_t i = 0; i < rt_guest.segment_count; i++)
    if (target - rt_guest.segments[i].base < rt_guest.segments[i].size) return false;
  return true;
}

void rt_miss(rt_cpu *c, uint64_t site, uint64_t target) {
  if (!c->pc) c->pc = site;
  if (is_new_code(target))
    rt_end(RT_END_TRAP, RT_CODE_RUNTIME, (rt_end_place){site, 0},
           "branch to 0x%llx: code that the program made while it ran cannot be translated ahead", (unsigned long long)target);
  rt_record_miss(site, target);
  rt_end(RT_END_MISS, RT_CODE_RUNTIME, (rt_end_place){site, 0}, "branch to 0x%llx, where no code was discovered",
         (unsigned long long)target);
}

/* The name of the function that starts at a guest address, in parentheses behind a space; or "". */
static const char *name_of(uint64_t function, char *text, size_t size) {
  text[0] = 0;
  for (uint32_t i = 0; i < rt_guest.name_count; i++)
    if (rt_guest.names[i].pc == function) snprintf(text, size, " (%s)", rt_guest.names[i].text);
  return text;
}

/* The guest function that a host address lies in, as far as the entries tell: the nearest one below. 0 = none. */
static uint64_t guest_function(uintptr_t host_pc) {
  uintptr_t best = 0;
  uint64_t pc = 0;
  for (uint32_t i = 0; i < rt_guest.entry_count; i++) {
    uintptr_t at = (uintptr_t)rt_guest.entries[i].function;
    if (at <= host_pc && at > best) best = at, pc = rt_guest.entries[i].pc;
  }
  return pc;
}

/* The guest function around a guest address: the nearest entry below says. */
static uint64_t function_around(uint64_t pc) {
  uint64_t found = 0;
  for (uint32_t i = 0; i < rt_guest.entry_count && rt_guest.entries[i].pc <= pc; i++) found = rt_guest.entries[i].start;
  return found;
}

static uintptr_t host_pc(void *context) {
#if defined(__linux__) && defined(__x86_64__)
  return (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__linux__) && defined(__aarch64__)
  return (uintptr_t)((ucontext_t *)context)->uc_mcontext.pc;
#else
  (void)context;
  return 0;
#endif
}

/* The kernel gives a handler a fresh floating-point state; the guest's rounding mode stays. */
static void keep_float_modes(void *context) {
#if defined(__linux__) && defined(__x86_64__)
  const ucontext_t *u = context;
  if (u->uc_mcontext.fpregs) __builtin_ia32_ldmxcsr(u->uc_mcontext.fpregs->mxcsr);
#else
  (void)context;
#endif
}

static void on_fault(int number, siginfo_t *info, void *context) {
  uintptr_t at = (uintptr_t)info->si_addr, base = (uintptr_t)rt_memory;
  rt_thread *t = rt_thread_self();
  bool exact = rt_guest.faults && t;
  /* Where it is not exact, the function may be one that the compiler has put the faulting one into. */
  uint64_t function = exact ? function_around(t->cpu.pc) : guest_function(host_pc(context));
  uint32_t addr = (uint32_t)(at - base);
  rt_end_place place = {exact ? t->cpu.pc : function, 0};
  if (rt_memory && at - (base - RT_GUARD) < RT_GUARD + RT_SPACE + RT_GUARD) {
    bool mapped = at - base < RT_SPACE && rt_memory_page(addr) & RT_MAPPED, bus = number == SIGBUS;
    int code = bus ? info->si_code : mapped ? SEGV_ACCERR : SEGV_MAPERR;
    rt_fault fault = {bus ? G_SIGBUS : G_SIGSEGV, code, addr, place.pc, rt_guest.faults};
    keep_float_modes(context);
    if (t && rt_system_fault(t, &fault)) return;
    char name[160];
    rt_end(RT_END_SIGNAL, fault.number, place, "guest accessed address 0x%llx (%s), in the function at 0x%llx%s",
           (unsigned long long)addr, bus ? "no such part of the file" : mapped ? "not permitted there" : "not mapped",
           (unsigned long long)function, name_of(function, name, sizeof name));
  }
  rt_end(RT_END_SIGNAL, G_SIGSEGV, place, "the host stack is exhausted or the runtime is wrong, near the guest function at 0x%llx",
         (unsigned long long)function);
}

void rt_trap_thread_init(void) {
  void *place = mmap(NULL, FAULT_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  stack_t stack = {.ss_sp = place, .ss_size = FAULT_STACK};
  if (place == MAP_FAILED || sigaltstack(&stack, NULL)) rt_fail("cannot make a stack for faults");
  struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigaction(SIGSEGV, &fault, NULL);
  sigaction(SIGBUS, &fault, NULL);
}

void rt_trap_thread_done(void) {
  stack_t off = {.ss_flags = SS_DISABLE}, old;
  if (sigaltstack(&off, &old) == 0) munmap(old.ss_sp, FAULT_STACK);
}
