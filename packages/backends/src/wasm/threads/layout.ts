/** `Job` of kernels/jobs.h: its size and where its fields are, in bytes. */
export const jobLayout = { bytes: 208, done: 8, signal: 16, workers: 20 } as const;

/** `Thread` of kernels/jobs.h, likewise. */
export const threadLayout = {
  bytes: 256,
  state: 0,
  answered: 4,
  holds: 8,
  beats: 12,
  order: 16,
  failureBytes: 20,
  failure: 24,
} as const;

/** Bytes that a failure may have. */
export const failureCapacity: number = threadLayout.bytes - threadLayout.failure;

/** States of a thread. */
export const states = { starting: 0, ready: 1, ended: 2 } as const;

/** What the caller tells a thread; all but `leave` is for tests. */
export const orders = { leave: 1, hold: 2, trap: 3, asleep: 0x80 } as const;

/** Where a test's order holds. */
export const points = {
  'at start': 1,
  'before a claim': 2,
  'after a claim': 3,
  'in a piece': 4,
  'after a piece': 5,
  idle: 6,
} as const;
