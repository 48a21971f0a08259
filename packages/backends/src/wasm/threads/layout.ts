/** Layout of `Job` in kernels/jobs.h: its size and the offsets of its fields, in bytes. */
export const jobLayout = { bytes: 208, done: 8, signal: 16, workers: 20 } as const;

/** Layout of `Thread` in kernels/jobs.h: its size and the offsets of its fields, in bytes. */
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

/** The most bytes that the text of a failure may have. */
export const failureCapacity: number = threadLayout.bytes - threadLayout.failure;

/** States of a thread. */
export const states = { starting: 0, ready: 1, ended: 2 } as const;

/** Orders that the calling thread gives to a thread. All but `leave` are for tests. */
export const orders = { leave: 1, hold: 2, trap: 3, asleep: 0x80 } as const;

/** Points in a thread's program at which an order of a test takes effect. */
export const points = {
  'at start': 1,
  'before a claim': 2,
  'after a claim': 3,
  'in a piece': 4,
  'after a piece': 5,
  idle: 6,
} as const;
