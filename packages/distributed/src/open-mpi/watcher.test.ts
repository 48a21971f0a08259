import { MultigradError } from '@multigrad/core/strategy';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Call } from '../calls.ts';
import type { Frame, Head } from '../tcp/frames.ts';
import type { Link, LinkEvents } from '../tcp/link.ts';
import { GuardedCalls } from './guarded-calls.ts';
import type { MpiFunction } from './library.ts';
import { Watcher } from './watcher.ts';

// Ranks over a library that stands for MPI: each call ends once every rank is in it, unless a rank is made to fail.

const silence = 5;
const patience = 20;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** One end of a connection; what it sends comes at the other end at once, unless the sender is stopped. */
class End {
  other: End | null = null;
  events: LinkEvents | null = null;
  stopped = false;

  listen(events: LinkEvents): void {
    this.events = events;
  }
  send(head: Head): void {
    if (!this.stopped) this.other!.events?.frame({ head } as Frame);
  }
  async close(): Promise<void> {
    this.other!.events?.end('');
    return Promise.resolve();
  }
}

/** The ranks of a job, and what their watchers have said. */
class Job {
  readonly failures: string[] = [];
  /** Ranks that end the job. */
  readonly ending: number[] = [];
  readonly notes: string[] = [];
  readonly calls: GuardedCalls[] = [];
  readonly #watchers: Watcher[] = [];
  readonly #links: Map<number, End>[] = [];
  /** What each rank waits in, by rank. */
  readonly #waits: (Call | null)[] = [];
  /** Ranks that are in the call under way, with what lets them go on. */
  readonly #inside: { readonly name: string; readonly go: () => void }[] = [];
  readonly #numbers: number[] = [];

  constructor(size: number) {
    for (let rank = 0; rank < size; rank += 1) {
      this.#links.push(new Map());
      this.#waits.push(null);
      this.#numbers.push(0);
    }
    for (let rank = 1; rank < size; rank += 1) {
      const [here, there] = [new End(), new End()];
      here.other = there;
      there.other = here;
      this.#links[0]!.set(rank, here);
      this.#links[rank]!.set(0, there);
    }
    for (let rank = 0; rank < size; rank += 1) {
      const fail = (text: string, ends: boolean): void => {
        if (!this.failures.includes(text)) this.failures.push(text);
        if (ends) this.ending.push(rank);
      };
      const links = this.#links[rank] as unknown as ReadonlyMap<number, Link>;
      const events = { fail, note: (text: string) => this.notes.push(text) };
      const times = { silence, patience };
      this.#watchers.push(new Watcher(rank, links, times, events, () => this.#waits[rank]!));
      const library = {
        call: () => undefined,
        callAside: async (name: string) => this.#meet(name),
      };
      this.calls.push(
        new GuardedCalls(rank, library, {
          begin: (form, what) => {
            const number = (this.#numbers[rank]! += 1);
            this.#waits[rank] = { number, form, what };
            return () => {
              this.#waits[rank] = null;
            };
          },
          end: async () => Promise.resolve(),
        }),
      );
    }
  }

  /** Ends once all ranks are in the same function; in different ones they wait for ever, as with MPI. */
  async #meet(name: string): Promise<void> {
    await new Promise<void>((go) => {
      this.#inside.push({ name, go });
      if (this.#inside.filter((one) => one.name === name).length < this.calls.length) return;
      for (const one of this.#inside.splice(0)) one.go();
    });
  }

  /** A rank begins a call. */
  async call(
    rank: number,
    purpose: string,
    form = 'allReduce(Float32Array[8], sum)',
    name: MpiFunction = 'Allreduce',
  ): Promise<void> {
    const calls = this.calls[rank]!;
    calls.purpose = purpose;
    await calls.aside(form, name);
  }

  /** SIGSTOP: the rank's threads give no sign of life. */
  stop(rank: number): void {
    for (const end of this.#links[rank]!.values()) end.stopped = true;
  }

  /** The rank's process ends: its connections are closed. */
  kill(rank: number): void {
    this.stop(rank);
    for (const end of this.#links[rank]!.values()) end.other!.events?.end('');
  }

  async close(): Promise<void> {
    await Promise.all(this.#watchers.map(async (watcher) => watcher.close()));
  }
}

const seconds = async (count: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(count * 1000);
};

describe('ranks of MPI whose library', () => {
  it('does what it should are not spoken of, however many calls they make and however long they compute', async () => {
    const job = new Job(3);
    for (let step = 0; step < 3; step += 1) {
      await Promise.all([0, 1, 2].map(async (rank) => job.call(rank, 'decisions')));
      await seconds(3 * patience);
    }
    expect([job.failures, job.notes]).toEqual([[], []]);
    await job.close();
  });

  it('stalls on a rank that is stopped name the rank, the call and the time', async () => {
    const job = new Job(3);
    void job.call(0, 'decisions');
    void job.call(1, 'decisions');
    job.stop(2);
    await seconds(silence - 1);
    expect(job.failures).toEqual([]);
    await seconds(3);
    expect(job.failures).toEqual([
      'Rank 2 gave no sign of life for 5 s, while rank 0 is at `decisions` (call 1, allReduce(Float32Array[8], sum)): stopped, or the host or the network is down.',
    ]);
    expect(job.ending).toEqual([0]);
  });

  it('stalls on rank 0, which is stopped, name it from each other rank', async () => {
    const job = new Job(3);
    void job.call(1, 'sums');
    void job.call(2, 'sums');
    job.stop(0);
    await seconds(silence + 3);
    expect(job.failures).toEqual(
      [1, 2].map(
        (rank) =>
          `Rank 0 gave no sign of life for 5 s, while rank ${rank} is at \`sums\` (call 1, allReduce(Float32Array[8], sum)): stopped, or the host or the network is down.`,
      ),
    );
    expect(job.ending).toEqual([1]);
  });

  it('gets a rank late says so once, and goes on once it comes', async () => {
    const job = new Job(3);
    const first = [0, 1].map(async (rank) => job.call(rank, 'decisions'));
    await seconds(patience - 2);
    expect(job.notes).toEqual([
      'Rank 2 has not reached `decisions` (call 1, allReduce(Float32Array[8], sum)) for 5 s, but is alive; going on to wait.',
    ]);
    await Promise.all([...first, job.call(2, 'decisions')]);
    await seconds(3 * patience);
    expect(job.failures).toEqual([]);
    await job.close();
  });

  it('gets a rank too late names the rank, the call and the time', async () => {
    const job = new Job(3);
    void job.call(0, 'decisions');
    void job.call(2, 'decisions');
    await seconds(patience + 2);
    expect(job.failures).toEqual([
      'Rank 1 has not reached `decisions` (call 1, allReduce(Float32Array[8], sum)) for 20 s, while rank 0 is at `decisions` (call 1, allReduce(Float32Array[8], sum)).',
    ]);
    expect(job.ending).toEqual([0]);
  });

  it('never ends a call that all ranks have reached says how long this one has waited in it', async () => {
    const job = new Job(2);
    // The library loses a rank's part: the call ends on no rank.
    job.calls.push(job.calls[1]!);
    void job.call(0, 'weights');
    void job.call(1, 'weights');
    await seconds(patience + silence + 2);
    expect(job.failures[0]).toBe(
      'Rank 0 has waited at `weights` (call 1, allReduce(Float32Array[8], sum)) for 20 s: another rank does not take part in it.',
    );
  });

  it('is given different calls by two ranks names both, with what they call', async () => {
    const job = new Job(2);
    void job.call(0, 'decisions');
    void job.call(1, 'sums', 'barrier', 'Barrier');
    await seconds(3);
    expect(job.failures[0]).toBe(
      'All ranks should make the same calls in the same order. Found allReduce(Float32Array[8], sum) on rank 0, barrier on rank 1.',
    );
    expect(job.ending).toEqual([0]);
  });

  it('loses a process that ends names it at once, and at which call the others are', async () => {
    const job = new Job(3);
    void job.call(0, 'decisions');
    await seconds(0);
    job.kill(2);
    expect(job.failures).toEqual([
      'Rank 2 has ended, while rank 0 is at `decisions` (call 1, allReduce(Float32Array[8], sum)).',
    ]);
  });

  it('fails in a call names the rank, the call and the time, and makes the next one', async () => {
    const job = new Job(2);
    await Promise.all([job.call(0, 'options'), job.call(1, 'options')]);
    const text =
      'MPI_Allreduce should succeed. Found error 15: MPI_ERR_TRUNCATE: message truncated.';
    const error = new MultigradError('io', text);
    const library = {
      call: () => {
        throw error;
      },
      callAside: async () => {
        await seconds(2.5);
        throw error;
      },
    };
    const ended: string[] = [];
    const calls = new GuardedCalls(1, library, {
      begin: (form) => () => ended.push(form),
      end: async () => Promise.resolve(),
    });
    calls.purpose = 'gradients';
    const first = calls.aside('reduceScatter([4, 4])', 'Reduce_scatter');
    const second = calls.aside('barrier', 'Barrier');
    await expect(first).rejects.toMatchObject({
      code: 'io',
      message: `Rank 1 failed at \`gradients\` (call 1, reduceScatter([4, 4])) after 2.5 s: ${text}`,
    });
    await expect(second).rejects.toThrow(
      'Rank 1 failed at `gradients` (call 2, barrier) after 2.5 s',
    );
    expect(() => calls.now('allGatherNow(Float64Array[2])', 'Allgather')).toThrow(
      'Rank 1 failed at `gradients` (call 3, allGatherNow(Float64Array[2])) after 0.0 s',
    );
    expect(ended).toEqual(['reduceScatter([4, 4])', 'barrier', 'allGatherNow(Float64Array[2])']);
    await job.close();
  });
});
