// What a worker thread runs.
#include "jobs.h"

// Waits for work for ever; the thread is ended from outside.
EXPORT void work(Job *job) {
  for (;;) {
    int seen = __atomic_load_n(&job->signal, __ATOMIC_SEQ_CST);
    take_pieces(job);
    // A short wait first: the next kernel follows within microseconds as a rule, and waking up takes longer than that.
    for (int spins = 0; spins < 2000; spins++)
      if (__atomic_load_n(&job->signal, __ATOMIC_SEQ_CST) != seen) break;
    if (__atomic_load_n(&job->signal, __ATOMIC_SEQ_CST) == seen) __builtin_wasm_memory_atomic_wait32(&job->signal, seen, -1);
  }
}
