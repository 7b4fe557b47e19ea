/* The kernel's side of guest threads: priorities, thread blocks, and the only way in which one waits. */
#ifndef HZ_KTHREAD_H
#define HZ_KTHREAD_H

#include "../../thread.h"
#include "object.h"

#define HZ_PRIORITY_HIGHEST 28 /* of those that an application may ask for */
#define HZ_PRIORITY_LOWEST 59
#define HZ_PRIORITY_MAIN 44
#define HZ_CORES 3
#define HZ_WAIT_LIMIT 64 /* objects in one WaitSynchronization */

typedef enum hz_wait {
  HZ_RUNS,
  HZ_WAITS_TIME,    /* SleepThread */
  HZ_WAITS_OBJECTS, /* WaitSynchronization */
  HZ_WAITS_MUTEX,   /* ArbitrateLock, or a condition variable that was signalled */
  HZ_WAITS_CONDITION,
  HZ_WAITS_ADDRESS, /* WaitForAddress */
  HZ_WAITS_ANSWER,  /* to a message that the program itself will answer */
  HZ_WAITS_SYSTEM,  /* inside a service, for something that the system will do */
} hz_wait;

typedef struct hz_thread {
  hz_object object;
  rt_thread *thread; /* NULL before its start and after its end */
  bool started, ended, cancelled, paused;
  int priority, core;
  uint64_t core_mask, id;
  uint64_t entry, argument, stack, tls;

  hz_wait wait;
  uint64_t order; /* of its beginning: among equals who came first goes first */
  hz_result result;
  int32_t index;
  hz_object *objects[HZ_WAIT_LIMIT];
  uint32_t object_count;
  uint64_t address, key; /* of a mutex word or an arbitrated word; of a condition variable */
  uint32_t tag;          /* what is written into the mutex word */
  struct hz_thread *owner;
  struct hz_thread *next_request; /* behind this one in a session */
} hz_thread;

extern const hz_kind hz_kind_thread;

hz_thread *hz_thread_current(void);

/* The object of the thread that the program starts with, with a thread block. */
hz_thread *hz_thread_first(void);
void hz_thread_bind(hz_thread *t, rt_thread *thread);

/* A thread that does not run yet; NULL: no thread block is left. */
hz_thread *hz_thread_new(uint64_t entry, uint64_t argument, uint64_t stack, int priority, int core);
hz_result hz_thread_start(hz_thread *t);
_Noreturn void hz_thread_exit(void);
void hz_thread_set_priority(hz_thread *t, int priority);
unsigned hz_threads_free(void);

/* The calling thread waits, as `t->wait` says, until hz_thread_wake or a deadline (units); the result. */
hz_result hz_thread_wait(hz_thread *t, hz_wait wait, uint64_t deadline);
void hz_thread_wake(hz_thread *t, hz_result result);

/* `object` may be signalled now: wakes who waits for it. */
void hz_thread_notice(const hz_object *object);

/* Of the threads that wait in this way at this address (or key) the one whose turn is first; NULL = none. `owner`: only
 * for its mutexes; NULL = whoever's. */
hz_thread *hz_thread_waiter(hz_wait wait, uint64_t address, const hz_thread *owner);

/* Whether some thread waits for what the system or time brings. */
bool hz_threads_depend_on_system(void);

/* The deadline of a timeout in nanoseconds as supervisor calls have it: negative = for ever. */
uint64_t hz_deadline(int64_t timeout_ns);

#endif
