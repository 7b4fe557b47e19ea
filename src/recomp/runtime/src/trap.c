#define _GNU_SOURCE
#include "trap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "end.h"
#include "memory.h"
#include "record.h"
#include "rt.h"
#include "thread.h"

#define FAULT_STACK 65536 /* bytes */

/* Signal numbers as AArch64 Linux and the port's exit codes have them. */
#define G_SIGILL 4
#define G_SIGTRAP 5
#define G_SIGBUS 7
#define G_SIGSEGV 11

void rt_trap(rt_cpu *c, rt_trap_kind kind, uint64_t pc, uint32_t word) {
  c->pc = pc;
  const char *text = rt_unsupported_text(word);
  const rt_end_place place = {pc, word};
  switch (kind) {
    case RT_TRAP_BREAKPOINT: rt_end(RT_END_TRAP, RT_CODE_SIGNAL + G_SIGTRAP, place, "breakpoint");
    case RT_TRAP_UNSUPPORTED:
      rt_end(RT_END_TRAP, RT_CODE_RUNTIME, place, "instruction without semantics: %s", text ? text : "?");
    case RT_TRAP_LEFT_OUT: rt_end(RT_END_TRAP, RT_CODE_RUNTIME, place, "call of a function that is left out");
    default: rt_end(RT_END_TRAP, RT_CODE_SIGNAL + G_SIGILL, place, "undefined instruction");
  }
}

void rt_miss(rt_cpu *c, uint64_t site, uint64_t target) {
  if (!c->pc) c->pc = site;
  rt_record_miss(site, target);
  rt_end(RT_END_MISS, RT_CODE_RUNTIME, (rt_end_place){site, 0}, "branch to 0x%llx, where no code was discovered",
         (unsigned long long)target);
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

static void on_fault(int number, siginfo_t *info, void *context) {
  uintptr_t at = (uintptr_t)info->si_addr, base = (uintptr_t)rt_memory;
  uint64_t function = guest_function(host_pc(context));
  rt_end_place place = {function, 0};
  if (rt_memory && at - base < RT_SPACE + RT_GUARD)
    rt_end(RT_END_SIGNAL, number == SIGBUS ? G_SIGBUS : G_SIGSEGV, place,
           "guest accessed address 0x%llx (%s), in the function at 0x%llx", (unsigned long long)(at - base),
           at - base < RT_SPACE && rt_memory_page((uint32_t)(at - base)) & RT_MAPPED ? "not permitted there" : "not mapped",
           (unsigned long long)function);
  rt_end(RT_END_SIGNAL, G_SIGSEGV, place, "the host stack is exhausted or the runtime is wrong, near the guest function at 0x%llx",
         (unsigned long long)function);
}

void rt_trap_thread_init(void) {
  stack_t stack = {.ss_sp = malloc(FAULT_STACK), .ss_size = FAULT_STACK};
  if (!stack.ss_sp || sigaltstack(&stack, NULL)) rt_fail("cannot make a stack for faults");
  struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigaction(SIGSEGV, &fault, NULL);
  sigaction(SIGBUS, &fault, NULL);
}

void rt_trap_thread_done(void) {
  stack_t off = {.ss_flags = SS_DISABLE}, old;
  if (sigaltstack(&off, &old) == 0) free(old.ss_sp);
}
