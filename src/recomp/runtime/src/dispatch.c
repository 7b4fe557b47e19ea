/* From guest addresses to emitted functions: the table behind indirect branches, and the loop at the bottom of every
 * guest thread's host stack, where control arrives that no live activation expected. */
#include "rt.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_WORDS (UINT32_C(1) << 25) /* of code; functions behind them are found by searching */

rt_func *rt_functions;
uint32_t rt_functions_low, rt_functions_count;

static int is_function(const rt_entry *entry) { return entry->pc == entry->start; }

static uint32_t host_pc;
static uint64_t (*host_function)(rt_cpu *c);

void rt_dispatch_host(uint32_t pc, uint64_t (*function)(rt_cpu *c)) {
  host_pc = pc;
  host_function = function;
}

static uint64_t enter_host(rt_near *near) { return host_function(rt_cpu_of(near)); }

static uint64_t call_host(rt_near *near, uint64_t sp, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3) {
  rt_cpu *const c = rt_cpu_of(near);
  c->sp = sp;
  c->x[0] = x0, c->x[1] = x1, c->x[2] = x2, c->x[3] = x3;
  host_function(c);
  return c->x[0];
}

/* The host's function at a guest address, called as the guest's are; or NULL. (Between types of functions, C casts
 * by way of void (*)(void).) */
static rt_func find_host(uint64_t pc) {
  if (!host_function || (uint32_t)pc != host_pc) return NULL;
  return rt_guest.balanced ? (rt_func)(void (*)(void))call_host : enter_host;
}

void rt_dispatch_init(void) {
  const rt_entry *first = NULL, *last = NULL;
  for (uint32_t i = 0; i < rt_guest.entry_count; i++) {
    const rt_entry *entry = &rt_guest.entries[i];
    if (!is_function(entry) || (first && entry->pc - first->pc >= MOST_WORDS * 4)) continue;
    if (!first) first = entry;
    last = entry;
  }
  if (!first) return;
  rt_functions_low = first->pc;
  rt_functions_count = (last->pc - first->pc) / 4 + 1;
  rt_functions = calloc(rt_functions_count, sizeof *rt_functions);
  if (!rt_functions) {
    fputs("recomp: out of memory for the table of functions\n", stderr);
    exit(1);
  }
  for (const rt_entry *entry = first; entry <= last; entry++)
    if (is_function(entry)) rt_functions[(entry->pc - first->pc) / 4] = entry->function;
}

const rt_entry *rt_find_entry(uint64_t pc) {
  const uint32_t wanted = (uint32_t)pc;
  uint32_t low = 0, high = rt_guest.entry_count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (rt_guest.entries[middle].pc < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == rt_guest.entry_count || rt_guest.entries[low].pc != wanted) return NULL;
  return &rt_guest.entries[low];
}

const char *rt_unsupported_text(uint32_t word) {
  for (uint32_t i = 0; i < rt_guest.unsupported_count; i++)
    if (rt_guest.unsupported[i].word == word) return rt_guest.unsupported[i].text;
  return NULL;
}

static int is_relay(uint32_t pc) {
  for (uint32_t i = 0; i < rt_guest.relay_count; i++)
    if (rt_guest.relays[i] == pc) return 1;
  return 0;
}

uint64_t rt_enter_slow(rt_cpu *c, uint64_t site, uint64_t target) {
  const rt_entry *entry = rt_find_entry(target);
  if (!entry && find_host(target)) return host_function(c);
  if (!entry) rt_miss(c, site, target);
  if (is_function(entry)) return entry->function(rt_near_of(c));
  if (c->x[30] != site + 4 && !is_relay(entry->pc)) return target;
  c->resume = target; /* a call comes back behind its site, so nothing is to be unwound */
  return entry->function(rt_near_of(c));
}

rt_func rt_lookup_slow(rt_cpu *c, uint64_t site, uint64_t target) {
  const rt_entry *entry = rt_find_entry(target);
  if (entry && is_function(entry)) return entry->function;
  rt_func host = find_host(target);
  if (!host) rt_miss(c, site, target);
  return host;
}

/* The guest address where control goes. */
static uint64_t call(rt_cpu *c, rt_func function) {
  if (!rt_guest.balanced) return function(rt_near_of(c));
  const uint64_t lr = c->x[30], sp = c->sp;
  c->x[0] = ((rt_value_func)(void (*)(void))function)(rt_near_of(c), sp, c->x[0], c->x[1], c->x[2], c->x[3]);
  c->sp = sp;
  return lr;
}

uint64_t rt_enter(rt_cpu *c, uint64_t pc) {
  rt_func function = rt_lookup(pc);
  if (!function) function = find_host(pc);
  if (!function) {
    const rt_entry *entry = rt_find_entry(pc);
    if (!entry) rt_miss(c, 0, pc);
    if (!is_function(entry)) c->resume = pc;
    function = entry->function;
  }
  return call(c, function);
}

void rt_unwind(rt_cpu *c, uint64_t pc) {
  const rt_entry *entry = rt_find_entry(pc);
  for (rt_activation *a = c->active; entry && a; a = a->outer)
    if (a->start == entry->start && c->sp < a->sp) {
      c->resume = pc;
      c->active = a;
      longjmp(a->host, 1);
    }
}

void rt_run(rt_cpu *c, uint64_t pc, uint64_t until) {
  while (pc != until) pc = rt_enter(c, pc);
}
