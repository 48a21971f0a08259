// How threads take pieces, and what a worker runs.
#include "jobs.h"

// Sleeps until the number of pieces done differs from `done`, or a short time has passed. Throws where a thread that holds a
// piece has ended. It is written in TypeScript: src/wasm/threads.
__attribute__((import_module("env"), import_name("wait_for_threads"))) void wait_for_threads(int done);

#define LOAD(address) __atomic_load_n(address, __ATOMIC_SEQ_CST)
#define STORE(address, value) __atomic_store_n(address, value, __ATOMIC_SEQ_CST)
#define SWAP(address, expected, value) \
  __atomic_compare_exchange_n(address, expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

// How often a thread looks for work before it sleeps. As a rule the next kernel follows within microseconds, and waking up
// takes longer than that.
#define LOOKS 2000

// Sleeps until it is woken; returns at once where the number is not `value`. It is a function of its own with nothing after
// the wait instruction: before V8 11.3 (Node 20) optimises, it loses the variable that holds the value.
__attribute__((noinline)) static void sleep_while(const int *address, int value) {
  __builtin_wasm_memory_atomic_wait32((int *)address, value, -1);
}

void obey(Thread *self, int point) {
  for (;;) {
    int order = LOAD(&self->order), kind = order & 0xff, passes = order >> 16, asleep = order + ASLEEP;
    if (kind == LEAVE) __builtin_trap();
    if (kind == 0 || ((order >> 8) & 0xff) != point) return;
    if (passes > 0) {
      if (SWAP(&self->order, &order, order - (1 << 16))) return;
    } else if (kind == TRAP) {
      __builtin_trap();
    } else if (SWAP(&self->order, &order, asleep)) {
      // For ever: a test that gives this order wakes the thread, or ends it.
      sleep_while(&self->order, asleep);
      SWAP(&self->order, &asleep, 0);
      return;
    }
  }
}

INLINE void pass(Thread *self, int point) {
  if (LOAD(&self->order) != 0) obey(self, point);
}

// Whether this thread can reach all memory that the job may touch. Its engine may believe that memory is as small as it
// was before another thread made it larger; growing the memory by 0 pages makes it look again.
INLINE int sees_memory(const Job *job) {
  unsigned long pages = LOAD(&job->pages);
  return __builtin_wasm_memory_size(0) >= pages ||
         (__builtin_wasm_memory_grow(0, 0) >= pages && __builtin_wasm_memory_size(0) >= pages);
}

// Adds one to the pieces done of an epoch, unless another one has begun.
INLINE void count_piece(Job *job, unsigned epoch, unsigned count) {
  unsigned long long done = LOAD(&job->done);
  do {
    if ((unsigned)(done >> 32) != epoch) return;
  } while (!SWAP(&job->done, &done, done + 1));
  if ((unsigned)(done + 1) == count) __builtin_wasm_memory_atomic_notify((int *)&job->done, 1);
}

void take_pieces(Job *job, Thread *self) {
  int arguments[ARGUMENT_WORDS];
  unsigned copied = 0;
  for (;;) {
    unsigned long long ticket = LOAD(&job->ticket);
    unsigned epoch = (unsigned)(ticket >> 32), index = (unsigned)ticket, count = (unsigned)LOAD(&job->count);
    if (index >= count) break;
    STORE(&self->holds, (int)epoch);
    pass(self, BEFORE_CLAIM);
    Piece piece = LOAD(&job->piece);
    if (copied != epoch) {
      for (int i = 0, words = LOAD(&job->words); i < words; i++) arguments[i] = LOAD(&job->arguments[i]);
      if (!sees_memory(job)) break;
    }
    // Fails where somebody else has taken the piece, or another job has begun while the fields were read.
    if (!SWAP(&job->ticket, &ticket, ticket + 1)) continue;
    copied = epoch;
    self->beats++;
    pass(self, AFTER_CLAIM);
    piece(arguments, (int)index, self);
    pass(self, AFTER_PIECE);
    count_piece(job, epoch, count);
  }
  STORE(&self->holds, 0);
}

void share_work(Job *job, Piece piece, const int *arguments, int words, int count) {
  // 0 says in a thread's line that it holds no piece.
  unsigned epoch = (unsigned)job->epoch + 1 == 0 ? 1 : (unsigned)job->epoch + 1;
  // First nobody takes a piece any more, then the fields change, then pieces are there.
  STORE(&job->ticket, (unsigned long long)epoch << 32 | CLOSED);
  STORE(&job->epoch, (int)epoch);
  STORE(&job->count, count);
  STORE(&job->piece, piece);
  STORE(&job->pages, (unsigned long)__builtin_wasm_memory_size(0));
  STORE(&job->words, words);
  for (int i = 0; i < words; i++) STORE(&job->arguments[i], arguments[i]);
  STORE(&job->done, (unsigned long long)epoch << 32);
  STORE(&job->ticket, (unsigned long long)epoch << 32);
  __atomic_fetch_add(&job->signal, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&job->signal, min_int(job->workers, count - 1));
  take_pieces(job, (Thread *)(job + 1));
  for (int looks = 0;; looks++) {
    int done = (int)(unsigned)LOAD(&job->done);
    if (done == count) return;
    if (looks > LOOKS) wait_for_threads(done);
  }
}

// A worker calls this last, after it has written its failure into its line. It wakes the caller, which may be waiting for
// the worker's piece.
EXPORT void end_thread(Job *job, Thread *self, int failureBytes) {
  STORE(&self->failureBytes, failureBytes);
  STORE(&self->state, ENDED);
  __builtin_wasm_memory_atomic_notify((int *)&job->done, 1);
}

// From here on nobody takes another piece of the job.
EXPORT void close_job(Job *job) {
  STORE(&job->ticket, (unsigned long long)(unsigned)job->epoch << 32 | CLOSED);
}

// The loop of a worker: runs until the worker is told to leave.
EXPORT void work(Job *job, Thread *self) {
  pass(self, AT_START);
  STORE(&self->state, READY);
  for (;;) {
    int seen = LOAD(&job->signal);
    STORE(&self->answered, seen);
    take_pieces(job, self);
    pass(self, IDLE);
    for (int looks = 0; looks < LOOKS; looks++)
      if (LOAD(&job->signal) != seen) break;
    // For ever: an idle worker has nothing else to do. It keeps no program from ending, and ends with it.
    if (LOAD(&job->signal) == seen) sleep_while(&job->signal, seen);
  }
}
