#define _GNU_SOURCE
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audio.h"
#include "clock.h"
#include "end.h"
#include "live.h"
#include "options.h"
#include "text.h"
#include "video.h"

#define UNKNOWN_LIMIT 128 /* different unknown numbers that are listed */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int folder = -1;
static int inputs = -1, misses = -1;

static struct {
  uint64_t number, count;
} unknown[UNKNOWN_LIMIT];
static unsigned unknown_count;

static struct {
  char name[64];
  uint64_t count;
} unknown_names[UNKNOWN_LIMIT];
static unsigned unknown_name_count;

bool rt_record_on(void) { return folder >= 0; }

void rt_record_init(void) {
  if (!rt_opt.record_dir) return;
  folder = open(rt_opt.record_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) rt_fail("RECOMP_RT_RECORD: cannot open folder %s: %s", rt_opt.record_dir, strerror(errno));
  inputs = rt_record_open("inputs.jsonl");
  misses = rt_record_open("misses.jsonl");
}

/* Out of the way of the guest's own descriptors and of the port's standard streams. */
static int high(int fd) {
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, 900);
  if (moved < 0) return fd;
  close(fd);
  return moved;
}

int rt_record_open(const char *name) {
  if (folder < 0) return -1;
  int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) rt_fail("cannot write %s/%s: %s", rt_opt.record_dir, name, strerror(errno));
  return high(fd);
}

void rt_record_write(int fd, const void *bytes, size_t size) {
  const char *at = bytes;
  while (size > 0) {
    ssize_t n = write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) rt_fail("cannot write the recording in %s: %s", rt_opt.record_dir, strerror(errno));
    at += n;
    size -= (size_t)n;
  }
}

void rt_record_lock(void) { pthread_mutex_lock(&lock); }

void rt_record_unlock(void) { pthread_mutex_unlock(&lock); }

static void write_line(int fd, const rt_text *text) {
  rt_record_lock();
  rt_record_write(fd, text->bytes, text->size);
  rt_record_unlock();
}

void rt_record_input(uint64_t tick, unsigned type, unsigned code, int value) {
  if (inputs < 0) return;
  char bytes[128];
  rt_text line = rt_text_over(bytes, sizeof bytes);
  rt_text_add(&line, "{\"tick\":%llu,\"type\":%u,\"code\":%u,\"value\":%d}\n", (unsigned long long)tick, type, code,
              value);
  write_line(inputs, &line);
}

/* One write, so that processes may share the file; a file that cannot be written changes nothing about the miss. */
static void append(const char *path, const rt_text *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, text->bytes, text->size) != (ssize_t)text->size)
    fprintf(stderr, "recomp-rt: RECOMP_RT_MISSES: cannot write %s: %s\n", path, strerror(errno));
  if (fd >= 0) close(fd);
}

void rt_record_miss(uint64_t site, uint64_t target) {
  char bytes[128];
  rt_text line = rt_text_over(bytes, sizeof bytes);
  rt_text_add(&line, "{\"site\":%llu,\"target\":%llu,\"count\":1}\n", (unsigned long long)site,
              (unsigned long long)target);
  if (misses >= 0) write_line(misses, &line);
  if (rt_opt.misses_path) append(rt_opt.misses_path, &line);
}

void rt_record_unknown_svc(uint64_t number) {
  rt_record_lock();
  unsigned i = 0;
  while (i < unknown_count && unknown[i].number != number) i++;
  if (i == unknown_count && unknown_count < UNKNOWN_LIMIT) unknown[unknown_count++].number = number;
  if (i < unknown_count) unknown[i].count++;
  rt_record_unlock();
}

void rt_record_unknown_name(const char *name) {
  rt_record_lock();
  unsigned i = 0;
  while (i < unknown_name_count && strncmp(unknown_names[i].name, name, sizeof unknown_names[i].name - 1) != 0) i++;
  if (i == unknown_name_count && unknown_name_count < UNKNOWN_LIMIT)
    strncpy(unknown_names[unknown_name_count++].name, name, sizeof unknown_names[i].name - 1);
  if (i < unknown_name_count) unknown_names[i].count++;
  rt_record_unlock();
}

static void add_unknown_names(rt_text *text) {
  if (!unknown_name_count) return;
  rt_text_add(text, ",\"unknown_commands\":[");
  for (unsigned i = 0; i < unknown_name_count; i++) {
    rt_text_add(text, "%s{\"name\":", i ? "," : "");
    rt_text_add_string(text, unknown_names[i].name);
    rt_text_add(text, ",\"count\":%llu}", (unsigned long long)unknown_names[i].count);
  }
  rt_text_add(text, "]");
}

static void add_unknown(rt_text *text) {
  rt_text_add(text, "\"unknown_svcs\":[");
  for (unsigned i = 0; i < unknown_count; i++)
    rt_text_add(text, "%s{\"number\":%llu,\"count\":%llu}", i ? "," : "", (unsigned long long)unknown[i].number,
                (unsigned long long)unknown[i].count);
  rt_text_add(text, "]");
}

/* Written whole under another name and renamed: run.json is complete or not there. */
static void write_run_json(const char *kind, int code, const char *detail) {
  static char bytes[16384];
  rt_text text = rt_text_over(bytes, sizeof bytes);
  rt_text_add(&text, "{\"exit\":{\"kind\":\"%s\",\"code\":%d,\"detail\":", kind, code);
  rt_text_add_string(&text, detail);
  rt_text_add(&text, "},\"ticks\":%llu,", (unsigned long long)rt_clock_tick());
  rt_video_describe(&text);
  rt_text_add(&text, ",");
  rt_audio_describe(&text);
  rt_text_add(&text, ",");
  add_unknown(&text);
  add_unknown_names(&text);
  rt_text_add(&text, "}\n");
  int fd = rt_record_open("run.json.part");
  rt_record_write(fd, text.bytes, text.size);
  close(fd);
  if (renameat(folder, "run.json.part", folder, "run.json"))
    rt_fail("cannot write %s/run.json: %s", rt_opt.record_dir, strerror(errno));
}

void rt_record_finish(const char *kind, int code, const char *detail) {
  if (folder < 0) return;
  rt_record_lock();
  rt_audio_drain();
  rt_video_finish();
  write_run_json(kind, code, detail); /* the lock stays taken: nothing is recorded behind the end */
}

void rt_record_forget(void) {
  pthread_mutex_init(&lock, NULL);
  if (folder >= 0) close(folder);
  folder = inputs = misses = -1;
  rt_live_forget();
  rt_video_forget();
  rt_audio_forget();
}
