/* From guest addresses to emitted functions: the index behind indirect branches, and the loop at the bottom of every
 * guest thread's host stack, where control arrives that no live activation expected. */
#include "rt.h"

#include <stdio.h>
#include <stdlib.h>

rt_func *rt_index[RT_PAGE_COUNT];

void rt_dispatch_host(uint32_t pc, rt_func function) {
  rt_func **page = &rt_index[pc >> 12];
  if (!*page) *page = calloc(1024, sizeof **page);
  if (!*page) {
    fputs("recomp: out of memory for the index of functions\n", stderr);
    exit(1);
  }
  (*page)[pc >> 2 & 1023] = function;
}

void rt_dispatch_init(void) {
  for (uint32_t i = 0; i < rt_guest.entry_count; i++) {
    const rt_entry *entry = &rt_guest.entries[i];
    if (entry->pc == entry->start) rt_dispatch_host(entry->pc, entry->function);
  }
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
  if (rt_guest.balanced || !entry) rt_miss(c, site, target);
  if (c->x[30] != site + 4 && !is_relay(entry->pc)) return target;
  c->resume = target; /* a call comes back behind its site, so nothing is to be unwound */
  return entry->function(c);
}

uint64_t rt_enter(rt_cpu *c, uint64_t pc) {
  rt_func function = rt_lookup(pc);
  if (!function) {
    const rt_entry *entry = rt_find_entry(pc);
    if (!entry) rt_miss(c, 0, pc);
    c->resume = pc;
    function = entry->function;
  }
  const uint64_t lr = c->x[30];
  pc = function(c);
  return rt_guest.balanced ? lr : pc;
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
