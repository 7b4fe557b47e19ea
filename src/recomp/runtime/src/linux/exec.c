/* execve. A port is one program, so another one can only be: itself (as /proc/self/exe, or a file with the same code),
 * a script whose interpreter is, or, where the guest sees the host's files, a program of the host. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../memory.h"
#include "../options.h"
#include "../record.h"
#include "file.h"
#include "handover.h"
#include "path.h"
#include "process.h"
#include "signals.h"
#include "svc.h"

#define MOST_STRINGS 65536u
#define MOST_SCRIPTS 4 /* a script's interpreter may be a script */
#define COMPARED 65536u /* bytes of code from the entry on */

extern char **environ;

typedef struct list {
  char **items; /* ends with NULL */
  size_t count;
} list;

static void forget(list *l) {
  for (size_t i = 0; i < l->count; i++) free(l->items[i]);
  free(l->items);
  *l = (list){0};
}

static bool add(list *l, const char *text) {
  char **more = realloc(l->items, (l->count + 2) * sizeof *more);
  if (!more) return false;
  l->items = more;
  l->items[l->count] = strdup(text);
  l->items[l->count + 1] = NULL;
  return l->items[l->count++] != NULL;
}

/* The guest's array of string pointers; 0 or a negated errno. */
static int64_t get_list(list *l, uint64_t addr) {
  if (!(l->items = calloc(1, sizeof *l->items))) return -ENOMEM;
  for (uint64_t i = 0; addr; i++) {
    uint64_t text_addr;
    if (!rt_memory_get(&text_addr, addr + 8 * i, 8)) return -EFAULT;
    if (!text_addr) break;
    const char *text = rt_memory_string(text_addr, RT_STACK_SIZE / 4);
    if (!text) return -EFAULT;
    if (i >= MOST_STRINGS) return -E2BIG;
    if (!add(l, text)) return -ENOMEM;
  }
  return 0;
}

/* The runtime's blob at a guest address, if `size` bytes of it are there. */
static const uint8_t *code_at(uint64_t addr, uint64_t size) {
  for (uint32_t i = 0; i < rt_guest.segment_count; i++) {
    const rt_segment *s = &rt_guest.segments[i];
    if (addr >= s->base && addr - s->base < s->init_size && size <= s->init_size - (addr - s->base))
      return rt_guest.blob + s->init_offset + (addr - s->base);
  }
  return NULL;
}

static bool same_bytes(int fd, uint64_t offset, const uint8_t *expected, uint64_t size) {
  static uint8_t bytes[COMPARED];
  return pread(fd, bytes, size, (off_t)offset) == (ssize_t)size && memcmp(bytes, expected, size) == 0;
}

/* Whether an ELF file is the program that this port was made of: the same entry, and the same code from there on. */
static bool is_self(int fd) {
  Elf64_Ehdr header;
  if (pread(fd, &header, sizeof header, 0) != sizeof header || memcmp(header.e_ident, ELFMAG, SELFMAG)) return false;
  if (header.e_machine != EM_AARCH64 || header.e_phentsize != sizeof(Elf64_Phdr)) return false;
  for (unsigned i = 0; i < header.e_phnum; i++) {
    Elf64_Phdr p;
    if (pread(fd, &p, sizeof p, (off_t)(header.e_phoff + i * sizeof p)) != sizeof p) return false;
    if (p.p_type != PT_LOAD || header.e_entry < p.p_vaddr || header.e_entry - p.p_vaddr >= p.p_filesz) continue;
    uint64_t inside = header.e_entry - p.p_vaddr, size = p.p_filesz - inside;
    if (size > COMPARED) size = COMPARED;
    const uint8_t *code = code_at(rt_guest.entry, size);
    return code && same_bytes(fd, p.p_offset + inside, code, size);
  }
  return false;
}

/* Whether a file is this very port: a name for it in the guest's PATH stands for the program. */
static bool is_port(int fd) {
  struct stat file, port;
  return fstat(fd, &file) == 0 && stat("/proc/self/exe", &port) == 0 && file.st_dev == port.st_dev &&
         file.st_ino == port.st_ino;
}

/* "#!interpreter argument": its parts, cut out of `line`. False = no script. */
static bool parse_script(char *line, char **interpreter, char **argument) {
  if (line[0] != '#' || line[1] != '!') return false;
  line[strcspn(line, "\n")] = 0;
  *interpreter = line + 2 + strspn(line + 2, " \t");
  char *end = *interpreter + strcspn(*interpreter, " \t");
  *argument = end + strspn(end, " \t");
  for (char *last = *argument + strlen(*argument); last > *argument && (last[-1] == ' ' || last[-1] == '\t');) *--last = 0;
  if (!**argument) *argument = NULL;
  *end = 0;
  return **interpreter != 0;
}

/* interpreter [argument] path arguments[1..] */
static bool for_script(list *arguments, const char *interpreter, const char *argument, const char *path) {
  list out = {0};
  bool ok = add(&out, interpreter) && (!argument || add(&out, argument)) && add(&out, path);
  for (size_t i = 1; ok && i < arguments->count; i++) ok = add(&out, arguments->items[i]);
  list old = *arguments;
  *arguments = out;
  forget(&old);
  return ok;
}

static bool names_variable(const list *l, const char *variable) {
  size_t size = strcspn(variable, "=") + 1;
  for (size_t i = 0; i < l->count; i++)
    if (strncmp(l->items[i], variable, size) == 0) return true;
  return false;
}

/* The runtime's settings hold for what the guest starts, too: its own for itself, where it cannot set any, and for
 * other programs unless it set them. Only the first process records. */
static bool add_settings(list *environment, bool self) {
  for (char **e = environ; *e; e++) {
    bool recording = strncmp(*e, "RECOMP_RT_RECORD=", 17) == 0 && (!self || !rt_record_on());
    bool state = strncmp(*e, "RECOMP_RT_STATE=", 16) == 0;
    if (!rt_options_owns(*e) || recording || state || names_variable(environment, *e)) continue;
    if (!add(environment, *e)) return false;
  }
  return true;
}

/* A guest must not change the settings of its successor: another root would lead out of this one. */
static void drop_settings(list *environment) {
  size_t kept = 0;
  for (size_t i = 0; i < environment->count; i++) {
    if (rt_options_owns(environment->items[i])) free(environment->items[i]);
    else environment->items[kept++] = environment->items[i];
  }
  environment->items[environment->count = kept] = NULL;
}

/* Restarts the port: the guest's environment and, for the runtime, its settings and state. */
static int64_t run_self(rt_thread *t, list *arguments, list *environment) {
  drop_settings(environment);
  if (!add_settings(environment, true)) return -ENOMEM;
  int64_t state = rt_handover_write(t);
  if (state < 0) return state;
  char variable[64];
  snprintf(variable, sizeof variable, "RECOMP_RT_STATE=%d", (int)state);
  if (!add(environment, variable)) return -ENOMEM;
  execve("/proc/self/exe", arguments->items, environment->items);
  return -errno;
}

/* A program of the host gets the guest's descriptors under the guest's numbers. */
static int64_t run_on_host(rt_thread *t, const rt_place *place, list *arguments, list *environment) {
  for (int n = -1; (n = rt_fd_next(n + 1)) >= 0 && n < 64;) {
    rt_file *f = rt_fd_get((uint64_t)n);
    if (f->host_fd >= 0 && !rt_fd_cloexec((uint64_t)n)) dup2(f->host_fd, n);
  }
  for (int n = 0; n < 64; n++)
    if (!rt_fd_get((uint64_t)n) || rt_fd_cloexec((uint64_t)n)) fcntl(n, F_SETFD, FD_CLOEXEC);
  if (!add_settings(environment, false)) return -ENOMEM;
  rt_signals_prepare_exec(t);
  execve(place->name, arguments->items, environment->items);
  int error = errno;
  rt_signals_apply((rt_thread *)t);
  return -error;
}

static int64_t execute(rt_thread *t, int fd, const char *path, list *arguments, list *environment, int scripts);

/* An open file: a script, this very program, or a program of the host. */
static int64_t execute_file(rt_thread *t, int file, const rt_place *place, const char *path, list *arguments,
                            list *environment, int scripts) {
  char line[256], *interpreter, *argument;
  ssize_t n = pread(file, line, sizeof line - 1, 0);
  if (n < 0) return -errno;
  line[n] = 0;
  if (is_self(file) || is_port(file)) return run_self(t, arguments, environment);
  if (parse_script(line, &interpreter, &argument) && !rt_path_is_host()) {
    if (scripts >= MOST_SCRIPTS) return -ELOOP;
    if (!for_script(arguments, interpreter, argument, path)) return -ENOMEM;
    return execute(t, G_AT_FDCWD, interpreter, arguments, environment, scripts + 1);
  }
  if (rt_path_is_host() && place->folder == AT_FDCWD) return run_on_host(t, place, arguments, environment);
  return memcmp(line, ELFMAG, SELFMAG) == 0 ? -EACCES : -ENOEXEC;
}

static int64_t execute_place(rt_thread *t, const rt_place *place, const char *path, list *arguments, list *environment,
                             int scripts) {
  struct stat s;
  if (fstatat(place->folder, place->name, &s, 0)) return -errno;
  if (!S_ISREG(s.st_mode) || faccessat(place->folder, place->name, X_OK, 0)) return -EACCES;
  int file = rt_host_high(openat(place->folder, place->name, O_RDONLY | O_CLOEXEC));
  if (file < 0 && rt_path_is_host() && place->folder == AT_FDCWD) return run_on_host(t, place, arguments, environment);
  if (file < 0) return -errno;
  int64_t problem = execute_file(t, file, place, path, arguments, environment, scripts);
  close(file);
  return problem;
}

static bool names_self(const char *guest_path) {
  return strcmp(guest_path, "/proc/self/exe") == 0 || strcmp(guest_path, rt_process_exe()) == 0;
}

static int64_t execute(rt_thread *t, int fd, const char *path, list *arguments, list *environment, int scripts) {
  rt_place place;
  place.guest[0] = 0;
  int64_t problem = rt_path_resolve_text(fd, path, true, &place);
  if (place.guest[0] && names_self(place.guest)) {
    if (!problem) rt_path_done(&place);
    return run_self(t, arguments, environment);
  }
  if (problem) return problem;
  problem = execute_place(t, &place, path, arguments, environment, scripts);
  rt_path_done(&place);
  return problem;
}

static int64_t execute_from_guest(rt_thread *t, int fd, uint64_t path_addr, uint64_t argv, uint64_t envp) {
  const char *path = rt_memory_string(path_addr, RT_PATH_MAX);
  if (!path) return -EFAULT;
  list arguments = {0}, environment = {0};
  int64_t problem = get_list(&arguments, argv);
  if (!problem) problem = get_list(&environment, envp);
  if (!problem && !arguments.count && !add(&arguments, "")) problem = -ENOMEM;
  if (!problem) problem = execute(t, fd, path, &arguments, &environment, 0);
  forget(&arguments);
  forget(&environment);
  return problem;
}

int64_t rt_svc_execve(rt_thread *t, const uint64_t *a) {
  return execute_from_guest(t, G_AT_FDCWD, a[0], a[1], a[2]);
}

int64_t rt_svc_execveat(rt_thread *t, const uint64_t *a) {
  if (a[4]) return -EINVAL;
  return execute_from_guest(t, (int)a[0], a[1], a[2], a[3]);
}
