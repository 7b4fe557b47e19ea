/* From the entry to main and back: relocation, the loader's configuration, exit. */
#include <nx/process.h>
#include <nx/svc.h>
#include <stdlib.h>

enum {
    KEY_END, KEY_MAIN_THREAD, KEY_NEXT_LOAD, KEY_HEAP, KEY_SERVICE, KEY_ARGV, KEY_CALLS, KEY_APPLET, KEY_PROCESS = 10,
    KEY_LAST_RESULT, KEY_RANDOM = 14, KEY_USER, KEY_VERSION, KEY_CALLS_2,
    FLAG_MANDATORY = 1, HOMEBREW_MODULE = 346, MAX_ARGS = 32,
};

enum { DT_RELA = 7, DT_RELASZ = 8, DT_RELRSZ = 35, DT_RELR = 36, R_NONE = 0, R_RELATIVE = 1027 };

struct entry {
    uint32_t key, flags;
    uint64_t value[2];
};

struct rela {
    uint64_t offset, info;
    int64_t addend;
};

struct module {
    uint32_t magic;
    int32_t dynamic, bss_start, bss_end, frames_start, frames_end, object;
};

struct nx_environment nx_environment;

static void *stack_at_entry;
static void *loader;
static char *arguments[MAX_ARGS + 1];

extern int main(int count, char **args);
extern _Noreturn void nx_return(nx_result result, void *stack, void *address);
extern char __relro_start[], __relro_end[];

/* An even entry is an offset to relocate; an odd one holds a bit for each of the next 63 words. */
static void relocate_packed(uint64_t base, const uint64_t *table, uint64_t size)
{
    uint64_t *cursor = NULL;
    for (const uint64_t *entry = table; entry < table + size / 8; entry++) {
        if (!(*entry & 1)) {
            cursor = (uint64_t *)(base + *entry);
            *cursor++ += base;
            continue;
        }
        for (int bit = 0; bit < 63; bit++)
            if (*entry >> (bit + 1) & 1) cursor[bit] += base;
        cursor += 63;
    }
}

/* Runs before any pointer in data can be used. */
void nx_relocate(uint64_t base, const struct module *module)
{
    uint64_t rela = 0, rela_size = 0, relr = 0, relr_size = 0;
    volatile uint64_t *bss = (uint64_t *)((uint64_t)module + (uint64_t)(int64_t)module->bss_start);
    volatile uint64_t *bss_end = (uint64_t *)((uint64_t)module + (uint64_t)(int64_t)module->bss_end);
    while (bss < bss_end) *bss++ = 0;
    for (const uint64_t *d = (uint64_t *)((uint64_t)module + (uint64_t)(int64_t)module->dynamic); d[0]; d += 2) {
        if (d[0] == DT_RELA) rela = base + d[1];
        if (d[0] == DT_RELASZ) rela_size = d[1];
        if (d[0] == DT_RELR) relr = base + d[1];
        if (d[0] == DT_RELRSZ) relr_size = d[1];
    }
    for (const struct rela *r = (const struct rela *)rela; r < (const struct rela *)(rela + rela_size); r++) {
        uint32_t type = (uint32_t)r->info;
        if (type == R_RELATIVE) *(uint64_t *)(base + r->offset) = base + (uint64_t)r->addend;
        else if (type != R_NONE) nx_fail(NX_ERROR_RELOCATION);
    }
    if (relr) relocate_packed(base, (const uint64_t *)relr, relr_size);
}

/* One string, split at white space; double quotes hold a part together. The string itself is cut up. */
static int split_arguments(char *text)
{
    int count = 0;
    while (text && *text && count < MAX_ARGS) {
        while (*text == ' ' || *text == '\t') text++;
        if (!*text) break;
        bool quoted = *text == '"';
        if (quoted) text++;
        arguments[count++] = text;
        while (*text && (quoted ? *text != '"' : *text != ' ' && *text != '\t')) text++;
        if (*text) *text++ = 0;
    }
    return count;
}

static void add_override(uint64_t name, nx_handle handle)
{
    struct nx_environment *e = &nx_environment;
    if (e->override_count == sizeof e->overrides / sizeof *e->overrides) return;
    e->overrides[e->override_count].name = name;
    e->overrides[e->override_count++].handle = handle;
}

/* Returns 0, or the result for a mandatory entry that is not known here. */
static nx_result read_entry(const struct entry *entry, char **argv)
{
    struct nx_environment *e = &nx_environment;
    switch (entry->key) {
    case KEY_MAIN_THREAD: e->main_thread = (nx_handle)entry->value[0]; break;
    case KEY_NEXT_LOAD:
        e->next_path = (char *)entry->value[0];
        e->next_argv = (char *)entry->value[1];
        break;
    case KEY_HEAP:
        e->heap = (void *)entry->value[0];
        e->heap_size = entry->value[1];
        break;
    case KEY_SERVICE: add_override(entry->value[0], (nx_handle)entry->value[1]); break;
    case KEY_ARGV: *argv = (char *)entry->value[1]; break;
    case KEY_APPLET: e->applet_type = (uint32_t)entry->value[0]; break;
    case KEY_PROCESS: e->process = (nx_handle)entry->value[0]; break;
    case KEY_RANDOM:
        e->random_seed[0] = entry->value[0];
        e->random_seed[1] = entry->value[1];
        break;
    case KEY_VERSION: e->system_version = (uint32_t)entry->value[0]; break;
    case KEY_CALLS: case KEY_CALLS_2: case KEY_LAST_RESULT: case KEY_USER: break;
    default:
        if (entry->flags & FLAG_MANDATORY) return NX_RESULT(HOMEBREW_MODULE, 100 + entry->key);
    }
    return 0;
}

/* Without a heap from the loader, the program takes the kernel's. */
static void find_heap(void)
{
    enum { SIZE = 0x4000000 };
    struct nx_environment *e = &nx_environment;
    if (e->heap) return;
    if (nx_set_heap_size(&e->heap, SIZE)) nx_fail(NX_ERROR_MEMORY);
    e->heap_size = SIZE;
}

_Noreturn void nx_begin(const struct entry *config, nx_handle main_thread, void *return_address, void *stack)
{
    char *argv = NULL;
    stack_at_entry = stack;
    loader = config ? return_address : NULL;
    nx_environment.main_thread = main_thread;
    for (const struct entry *entry = config; entry && entry->key != KEY_END; entry++) {
        nx_result result = read_entry(entry, &argv);
        if (result) nx_exit(result);
    }
    size_t fixed = (size_t)(__relro_end - __relro_start);
    if (fixed && nx_set_memory_permission(__relro_start, fixed, NX_PERMISSION_R)) nx_fail(NX_ERROR_RELOCATION);
    find_heap();
    int count = split_arguments(argv);
    nx_environment.path = count ? arguments[0] : "";
    exit(main(count, arguments));
}

_Noreturn void nx_exit(nx_result result)
{
    if (!loader) nx_exit_process();
    nx_return(result, stack_at_entry, loader);
}

_Noreturn void nx_fail(nx_result result)
{
    nx_break(0, &result, sizeof result);
    nx_exit_process();
}
