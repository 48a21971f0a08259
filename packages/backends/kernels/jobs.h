// Work shared among threads: a kernel is cut into pieces that do not depend on each other, and whoever is free takes the
// next. What a piece computes does not depend on who computes it, so results are the same for any number of threads.
#pragma once
#include "common.h"

typedef void (*Piece)(const void *arguments, int index);

// In memory that all threads share; zero where there are no other threads.
typedef struct {
  unsigned long long ticket;  // epoch in the high half, number of the next piece in the low half
  int epoch;                  // of the job whose fields follow
  int count, done;
  Piece piece;
  const void *arguments;
  int signal;                 // changes when there is work; workers sleep on it
  int workers;                // how many; 0 runs everything here
  int canSleep;               // whether the calling thread may sleep (not the main thread of a browser)
} Job;

// Takes pieces until there are none. A thread that comes late finds another epoch than its ticket's, and leaves.
INLINE void take_pieces(Job *job) {
  for (;;) {
    unsigned long long ticket = __atomic_fetch_add(&job->ticket, 1, __ATOMIC_SEQ_CST);
    int index = (int)(ticket & 0xffffffffu);
    int count = __atomic_load_n(&job->count, __ATOMIC_SEQ_CST);
    Piece piece = __atomic_load_n(&job->piece, __ATOMIC_SEQ_CST);
    const void *arguments = __atomic_load_n(&job->arguments, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&job->epoch, __ATOMIC_SEQ_CST) != (int)(ticket >> 32) || index >= count) return;
    piece(arguments, index);
    if (__atomic_add_fetch(&job->done, 1, __ATOMIC_SEQ_CST) == count) __builtin_wasm_memory_atomic_notify(&job->done, 1);
  }
}

// Calls piece(arguments, 0 .. count - 1) on all threads, and returns when all are done.
INLINE void parallel(Job *job, Piece piece, const void *arguments, int count) {
  if (job == 0 || job->workers == 0 || count < 2) {
    for (int index = 0; index < count; index++) piece(arguments, index);
    return;
  }
  int epoch = job->epoch + 1;
  __atomic_store_n(&job->epoch, epoch, __ATOMIC_SEQ_CST);
  __atomic_store_n(&job->count, count, __ATOMIC_SEQ_CST);
  __atomic_store_n(&job->done, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&job->piece, piece, __ATOMIC_SEQ_CST);
  __atomic_store_n(&job->arguments, arguments, __ATOMIC_SEQ_CST);
  __atomic_store_n(&job->ticket, (unsigned long long)(unsigned)epoch << 32, __ATOMIC_SEQ_CST);
  __atomic_fetch_add(&job->signal, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&job->signal, min_int(job->workers, count - 1));
  take_pieces(job);
  for (int spins = 0;; spins++) {
    int done = __atomic_load_n(&job->done, __ATOMIC_SEQ_CST);
    if (done == count) return;
    if (job->canSleep && spins > 2000) __builtin_wasm_memory_atomic_wait32(&job->done, done, -1);
  }
}
