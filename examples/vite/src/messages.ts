/** What the page sends to the worker. */
export type Request = { type: 'train'; epochs: number } | { type: 'stop' };

/** What the worker sends to the page. */
export type Answer =
  | { type: 'backend'; name: string; reason: string; threads: number; threadsReason: string }
  | { type: 'epoch'; epoch: number; losses: Record<string, number> }
  | { type: 'done'; history: Readonly<Record<string, readonly number[]>>; stopped: boolean }
  | { type: 'failed'; message: string };
