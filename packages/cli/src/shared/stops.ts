/** Milliseconds of one process: of a clock on the wall, and of computing on all of its threads. */
export interface Times {
  readonly wall: number;
  readonly computing: number;
}

/** A stop (SIGSTOP, Ctrl-Z, a batch system that suspends a job) is told from an event loop that was busy if it lasts as long. */
const shortest = 1000;

/**
 * Whether a process was stopped since its event loop last had a turn: time passed in which it computed nothing.
 *
 * @param before - at the last turn; the loop has turns at least every quarter of a second while the process waits
 */
export function wasStopped(before: Times, now: Times): boolean {
  const idle = now.wall - before.wall - (now.computing - before.computing);
  return idle >= shortest;
}
