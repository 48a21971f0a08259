import type { KernelExports } from '../kernel-exports.ts';
import { jobLayout, orders, points, states, threadLayout } from './layout.ts';
import { type StartedWorker, startWorker } from './start-workers.ts';

/** Thrown in the middle of a kernel when a thread that may hold a piece of its work is gone, or gives no sign of life. */
export class ThreadsLost extends Error {}

/** How long the calling thread waits for others, in milliseconds. */
export const patience = {
  /** The length of one sleep. Time while the whole program is suspended counts as one sleep at most. */
  slice: 100,
  /** How long a thread with a piece of work may give no sign of life. Kernels give one every few milliseconds of work. */
  silence: 10_000,
  /** How long a thread may take to start, or to answer. */
  answer: 10_000,
};

/** The kernels that workers run, and the addresses of the job, its threads and their stacks. */
export interface TeamPlan {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the job, which the table of threads follows. Both hold zeros, `tableBytes` together. */
  readonly job: number;
  /** Upper ends of the workers' stacks. */
  readonly stacks: readonly number[];
  readonly kernels: KernelExports;
}

/** The size of the job and of the table of `workers` workers and the calling thread, in bytes. */
export function tableBytes(workers: number): number {
  return jobLayout.bytes + (workers + 1) * threadLayout.bytes;
}

/** A worker as the calling thread sees it. */
class Member {
  readonly number: number;
  readonly #fields: Int32Array;
  readonly #text: Uint8Array;
  worker: StartedWorker | null = null;
  /** Why it failed, where an event says so rather than its fields in the shared memory. */
  failure: string | null = null;
  gone = false;
  /** Functions to call once it writes to no memory any more. */
  readonly whenGone: (() => void)[] = [];
  #beats = 0;
  #silence = 0;

  constructor(number: number, fields: Int32Array, text: Uint8Array) {
    this.number = number;
    this.#fields = fields;
    this.#text = text;
  }

  read(field: keyof typeof threadLayout): number {
    return Atomics.load(this.#fields, threadLayout[field] / 4);
  }

  /** Whether it may hold a piece of work. */
  get holds(): boolean {
    return this.read('holds') !== 0;
  }

  get ended(): boolean {
    return this.gone || this.read('state') === states.ended;
  }

  /**
   * Adds `more` milliseconds to the time since its last sign of life, and returns that time; 0 where there is a new sign.
   */
  silentFor(more: number): number {
    const beats = this.read('beats');
    this.#silence = beats === this.#beats ? this.#silence + more : 0;
    this.#beats = beats;
    return this.#silence;
  }

  /** Gives the worker an order, which it sees at the next point that it passes. */
  give(order: number): void {
    Atomics.store(this.#fields, threadLayout.order / 4, order);
  }

  /** Whether it sleeps because a test has ordered it to. */
  get sleeps(): boolean {
    return (this.read('order') & orders.asleep) !== 0;
  }

  wake(): void {
    Atomics.notify(this.#fields, threadLayout.order / 4);
  }

  /** Says why the worker is lost. */
  describe(): string {
    const length = this.read('failureBytes');
    const written = new TextDecoder().decode(this.#text.slice(0, length));
    const failure = this.failure ?? (written === '' ? null : written);
    if (this.read('state') === states.starting)
      return `thread ${this.number} did not start: ${failure ?? 'it was ended from outside'}`;
    if (failure !== null) return `thread ${this.number} died: ${failure}`;
    if (this.gone) return `thread ${this.number} was ended from outside`;
    const seconds = patience.silence / 1000;
    return `thread ${this.number} gave no sign of life for ${seconds} s with work in its hands`;
  }
}

/**
 * The workers of one backend, as the thread that calls its kernels sees them. kernels/THREADS.md describes how workers can
 * fail.
 */
export class ThreadTeam {
  readonly #job: Int32Array;
  readonly #kernels: KernelExports;
  readonly #address: number;
  readonly #all: readonly Member[];
  #active: Member[];
  #stopped = false;
  readonly #losses: string[] = [];
  /** How many of the losses have been reported to a listener. */
  #told = 0;
  #listener: ((reason: string) => void) | null = null;
  readonly #canSleep: boolean = maySleep();

  constructor({ module, memory, job, stacks, kernels }: TeamPlan) {
    const shared = memory.buffer;
    this.#job = new Int32Array(shared, job, jobLayout.bytes / 4);
    this.#kernels = kernels;
    this.#address = job;
    const line = (number: number): number => job + jobLayout.bytes + number * threadLayout.bytes;
    this.#all = stacks.map((_, index) => {
      const thread = line(index + 1);
      const fields = new Int32Array(shared, thread, threadLayout.failure / 4);
      const text = new Uint8Array(shared, thread, threadLayout.bytes);
      return new Member(index + 1, fields, text.subarray(threadLayout.failure));
    });
    this.#active = [...this.#all];
    this.#setWorkers();
    for (const [index, stack] of stacks.entries()) {
      const member = this.#all[index]!;
      const events = {
        failed: (reason: string) => (member.failure ??= reason),
        ended: () => this.#markGone(member),
      };
      member.worker = startWorker({ module, memory, job, thread: line(index + 1), stack }, events);
    }
  }

  /** How many threads were started, the calling one included; lost threads count too. */
  get size(): number {
    return this.#all.length + 1;
  }

  /** The reasons why threads were lost, one line each, in the order in which the losses were seen. */
  get losses(): readonly string[] {
    return this.#losses;
  }

  /**
   * Calls `listener` once for each thread that is lost, with the reason. Losses that were not reported yet, such as those at
   * the start, are reported at once. A later listener replaces an earlier one.
   */
  listen(listener: (reason: string) => void): void {
    this.#listener = listener;
    this.#tell();
  }

  /** How many workers answer within `patience.answer`. The others are kept, and may answer later. */
  async answering(): Promise<number> {
    const call = this.#signal();
    const answered = (): number =>
      this.#active.filter((member) => ((member.read('answered') - call) | 0) >= 0).length;
    // Adds up pauses in place of reading a clock, so that threads get their time even if the program was suspended.
    for (let waited = 0; answered() < this.#active.length && waited < patience.answer;) {
      const pause = Math.min(patience.slice, 1 + waited);
      await new Promise((resolve) => setTimeout(resolve, pause));
      waited += pause;
      this.#removeEnded();
    }
    return answered();
  }

  /**
   * Sleeps for a moment. `share_work` of the kernels calls it while there are pieces that are not done.
   *
   * @param done - the number of pieces done that the caller saw
   * @throws ThreadsLost where a thread that may hold a piece is gone, or has given no sign of life for long
   */
  wait(done: number): void {
    const changed = this.#sleep(jobLayout.done / 4, done, patience.slice);
    const isLost = (member: Member): boolean =>
      member.holds &&
      (member.ended || member.silentFor(changed ? 0 : patience.slice) >= patience.silence);
    if (this.#active.some(isLost)) throw new ThreadsLost('Threads are lost.');
  }

  /**
   * Ends the work of threads on a kernel that ended with an error. No thread takes pieces of it any more. Threads that hold
   * one are waited for, and those that give no sign of life are given up.
   *
   * @returns the threads that may still write to the kernel's memory
   */
  settle(): readonly Member[] {
    this.#kernels.close_job(this.#address);
    const pause = 1;
    const isBusy = (member: Member): boolean =>
      member.holds && !member.ended && member.silentFor(pause) < patience.silence;
    while (this.#active.filter(isBusy).length > 0) this.#sleep(jobLayout.signal / 4, null, pause);
    const lost = this.#active.filter((member) => member.holds && !member.ended);
    for (const member of lost) {
      member.give(orders.leave);
      this.#lose(member);
    }
    // Wakes threads that have become idle by now, so that they see the order too.
    if (lost.length > 0) this.#signal();
    this.#removeEnded();
    return lost;
  }

  /** Calls `free` once none of these threads writes to memory any more. It is not called once the backend has ended. */
  whenGone(members: readonly Member[], free: () => void): void {
    let left = members.length;
    const one = (): void => {
      left -= 1;
      if (left === 0 && !this.#stopped) free();
    };
    for (const member of members) member.whenGone.push(one);
  }

  /** Ends all threads. Called when the backend ends. */
  stop(): void {
    this.#stopped = true;
    this.#active = [];
    for (const { worker } of this.#all) worker?.end();
  }

  /** For tests: orders thread `number` to do something at a point, once it has passed there `passes` times. */
  order(number: number, kind: 'hold' | 'trap', point: keyof typeof points, passes = 0): void {
    this.#all[number - 1]!.give(orders[kind] | (points[point] << 8) | (passes << 16));
  }

  /** For tests: whether thread `number` sleeps by order. */
  sleeps(number: number): boolean {
    return this.#all[number - 1]!.sleeps;
  }

  /** For tests: wakes thread `number`, which sleeps by order. */
  wake(number: number): void {
    this.#all[number - 1]!.wake();
  }

  /** Wakes all threads that sleep, and returns the number that they answer with. */
  #signal(): number {
    const signal = Atomics.add(this.#job, jobLayout.signal / 4, 1) + 1;
    Atomics.notify(this.#job, jobLayout.signal / 4);
    return signal | 0;
  }

  #markGone(member: Member): void {
    member.gone = true;
    if (!this.#stopped && this.#active.includes(member)) this.#lose(member);
    for (const one of member.whenGone.splice(0)) one();
  }

  #removeEnded(): void {
    for (const member of this.#active.filter(({ ended }) => ended)) this.#lose(member);
  }

  #lose(member: Member): void {
    this.#active = this.#active.filter((other) => other !== member);
    this.#setWorkers();
    this.#losses.push(member.describe());
    this.#tell();
  }

  #tell(): void {
    while (this.#listener !== null && this.#told < this.#losses.length) {
      this.#told += 1;
      this.#listener(this.#losses[this.#told - 1]!);
    }
  }

  #setWorkers(): void {
    Atomics.store(this.#job, jobLayout.workers / 4, this.#active.length);
  }

  /**
   * Sleeps until a field differs from `value`, at most `milliseconds`, and returns whether it differs. Where `value` is
   * null, it sleeps the whole time.
   */
  #sleep(field: number, value: number | null, milliseconds: number): boolean {
    if (this.#canSleep) {
      if (value !== null)
        return Atomics.wait(this.#job, field, value, milliseconds) !== 'timed-out';
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
      return true;
    }
    // The main thread of a browser may not sleep, so it reads the field again and again.
    const end = performance.now() + milliseconds;
    while (performance.now() < end) {
      if (value !== null && Atomics.load(this.#job, field) !== value) return true;
    }
    return value === null;
  }
}

/** Whether this thread may sleep with `Atomics.wait`. The main thread of a browser may not. */
function maySleep(): boolean {
  try {
    // Returns at once, since the number is 0 and not the 1 that it would wait on.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}
