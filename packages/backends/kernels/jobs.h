// Work shared among threads: a kernel is cut into pieces that do not depend on each other, and whoever is free takes the
// next. What a piece computes does not depend on who computes it, so results are the same for any number of threads.
// THREADS.md tells the protocol and why it is safe when a thread dies or stops at any moment.
#pragma once
#include "common.h"

// The line of one thread in the table behind the job. Only the thread itself writes the first four fields, and only the
// thread that calls kernels writes `order`.
typedef struct {
  int state;       // STARTING, READY or ENDED
  int answered;    // the newest `signal` that it has seen
  int holds;       // the epoch of the job of which it may hold a piece; 0 while it holds none
  int beats;       // changes while it works
  int order;       // 0 as a rule
  int failureBytes;
  char failure[232];  // why it ended, in UTF-8
} Thread;

enum { STARTING, READY, ENDED };

// Orders. LEAVE: the caller goes on without this thread. HOLD and TRAP are given by tests alone: to sleep until it is
// woken, to trap. They name one of the points below, in the second byte, and how many times it is passed before, in the
// upper half. A thread that sleeps by order adds ASLEEP to it.
enum { LEAVE = 1, HOLD, TRAP, ASLEEP = 0x80 };
enum { AT_START = 1, BEFORE_CLAIM, AFTER_CLAIM, IN_PIECE, AFTER_PIECE, IDLE };

typedef void (*Piece)(const void *arguments, int index, Thread *self);

#define ARGUMENT_WORDS 40
#define CLOSED 0xffffffffu

// The job at hand, in memory that all threads share. All fields are zero where there are no other threads. The table of
// threads follows in memory: first the calling thread, then the workers.
typedef struct {
  unsigned long long ticket;  // epoch in the high half, number of the next piece (or CLOSED) in the low half
  unsigned long long done;    // epoch in the high half, how many pieces are done in the low half
  int signal;                 // changes when there is work; workers sleep on it
  int workers;                // number of workers; with 0 the calling thread runs everything
  int epoch;                  // epoch of the job whose fields follow
  int count;
  Piece piece;
  unsigned long pages;        // pages of memory when the job began
  int words;                  // number of words of arguments
  int arguments[ARGUMENT_WORDS];
  int unused;
} Job;

// Follows an order that holds at this point.
void obey(Thread *self, int point);

// A piece that takes long calls this every few milliseconds. It shows the caller that the thread is alive, and it ends the
// piece of a thread that was given up. `self` is null where there is one thread.
INLINE void alive(Thread *self) {
  if (self == 0) return;
  volatile Thread *own = self;
  own->beats = own->beats + 1;
  if (own->order != 0) obey(self, IN_PIECE);
}

// Takes pieces until there are none.
void take_pieces(Job *job, Thread *self);

// Calls piece(arguments, 0 .. count - 1) on all threads, and returns when all are done. Throws where a thread with a piece
// died or stopped: then nobody may use what the pieces write to before `close_job` was called and those threads are gone.
void share_work(Job *job, Piece piece, const int *arguments, int words, int count);

INLINE void parallel(Job *job, Piece piece, const void *arguments, size_t bytes, int count) {
  if (job == 0 || job->workers == 0 || count < 2) {
    for (int index = 0; index < count; index++) piece(arguments, index, 0);
    return;
  }
  share_work(job, piece, arguments, (int)(bytes / sizeof(int)), count);
}

_Static_assert(sizeof(Job) == 208 && sizeof(Thread) == 256, "src/wasm/threads/layout.ts has these sizes too");

// The arguments of all pieces, by value: threads get copies.
#define PARALLEL(job, piece, arguments, count)                                                        \
  do {                                                                                                \
    _Static_assert(sizeof(arguments) <= ARGUMENT_WORDS * sizeof(int), "too many arguments for a job"); \
    parallel(job, piece, &(arguments), sizeof(arguments), count);                                     \
  } while (0)
