import { MultigradError } from '@multigrad/core/strategy';
import type { Communicator, Numbers, Payload } from '../communicator.ts';
import { kindOf, payloadText, unlikeText } from '../calls.ts';
import { joinedParts, reduced, totalOf } from '../parts.ts';

/** One rank's part in a collective call. */
interface Call {
  /** Description of the call, which must be the same on all ranks; it also stands in messages. */
  readonly what: string;
  readonly values: Payload;
}

/** A collective call under way: each rank's part, and the promise that each rank waits for. */
interface Meeting {
  readonly calls: (Call | undefined)[];
  readonly done: PromiseWithResolvers<readonly Call[]>[];
}

/** The ranks of one process, which meet call by call. */
class Group {
  readonly size: number;
  readonly #meetings = new Map<number, Meeting>();
  #failure: Error | null = null;

  constructor(size: number) {
    this.size = size;
  }

  /** @returns every rank's part, once all have come */
  async meet(rank: number, turn: number, call: Call): Promise<readonly Call[]> {
    if (this.#failure !== null) throw this.#failure;
    const meeting = this.#meetings.get(turn) ?? {
      calls: new Array<Call | undefined>(this.size).fill(undefined),
      done: Array.from({ length: this.size }, () => withResolvers<readonly Call[]>()),
    };
    this.#meetings.set(turn, meeting);
    meeting.calls[rank] = call;
    const { promise } = meeting.done[rank]!;
    const calls = meeting.calls.filter((one) => one !== undefined);
    if (calls.length === this.size) {
      this.#meetings.delete(turn);
      const other = calls.findIndex(({ what }) => what !== calls[0]!.what);
      if (other < 0) for (const { resolve } of meeting.done) resolve(calls);
      else this.#mismatch(meeting, calls, other);
    }
    return promise;
  }

  /** Rejects the calls of all ranks that wait. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { calls, done } of this.#meetings.values()) {
      calls.forEach((call, rank) => {
        if (call !== undefined) done[rank]!.reject(this.#failure!);
      });
    }
    this.#meetings.clear();
  }

  #mismatch({ done }: Meeting, calls: readonly Call[], other: number): void {
    const error = new MultigradError(
      'interleaved-call',
      unlikeText(0, calls[0]!.what, other, calls[other]!.what),
    );
    for (const { reject } of done) reject(error);
    this.fail(error);
  }
}

/** The type of ES2024's `Promise.withResolvers`. */
interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((taking, refusing) => {
    resolve = taking;
    reject = refusing;
  });
  return { promise, resolve, reject };
}

function rankOf(group: Group, rank: number): Communicator {
  let turn = 0;
  // Copy the values: a rank may change its own before the others have read them.
  const meet = async (what: string, values: Payload = new Uint8Array(0)): Promise<Payload[]> => {
    turn += 1;
    const calls = await group.meet(rank, turn, { what, values: values.slice() });
    return calls.map((call) => call.values);
  };
  return {
    kind: 'local',
    rank,
    size: group.size,
    nextCall: () => undefined,
    allReduce: async (values, reduction = 'sum') => {
      const all = await meet(`allReduce(${payloadText(values)}, ${reduction})`, values);
      values.set(reduced(all as Numbers[], reduction));
    },
    reduceScatter: async (values, counts) => {
      const all = await meet(`reduceScatter([${counts.join(', ')}])`, values);
      const begin = totalOf(counts.slice(0, rank));
      const parts = all.map((one) => (one as Float32Array).subarray(begin, begin + counts[rank]!));
      return reduced(parts, 'sum');
    },
    allToAll: async (values, counts) => {
      const all = await meet(`allToAll(${kindOf(values)}, [${counts.join(', ')}])`, values);
      const begin = totalOf(counts.slice(0, rank));
      const parts = all.map((one) => one.subarray(begin, begin + counts[rank]!));
      return joinedParts(values, parts);
    },
    allGather: async (part, counts) => {
      const all = await meet(`allGather(${kindOf(part)}, [${counts.join(', ')}])`, part);
      return joinedParts(part, all);
    },
    broadcast: async (values, root = 0) => {
      const all = await meet(`broadcast(${payloadText(values)}, ${root})`, values);
      values.set(all[root] as never);
    },
    barrier: async () => {
      await meet('barrier');
    },
    allGatherNow: null,
    abort: (exitCode) => {
      group.fail(
        new MultigradError('io', `Rank ${rank} ended all ranks with exit code ${exitCode}.`),
      );
    },
    close: async () => {
      await meet('close');
    },
  };
}

/**
 * Runs a function for each of several ranks in this process, turn by turn, to test a program for several ranks without
 * MPI. Ranks that make different calls get an error that names both, where processes would wait forever.
 *
 * @param size - number of ranks, an integer >= 1
 * @returns what each rank returned
 * @throws the first error that a rank threw; the others are woken with it
 *
 * @example
 * ```ts
 * import { runRanks } from '@multigrad/distributed';
 *
 * const sums = await runRanks(3, async (communicator) => {
 *   const values = Float64Array.of(communicator.rank);
 *   await communicator.allReduce(values);
 *   return values[0];
 * });
 * console.log(sums); // [ 3, 3, 3 ]
 * ```
 */
export async function runRanks<T>(
  size: number,
  body: (communicator: Communicator) => Promise<T>,
): Promise<T[]> {
  if (!Number.isInteger(size) || size < 1) {
    throw new MultigradError(
      'invalid-argument',
      `There should be a whole number of ranks, at least 1. Found ${size}.`,
    );
  }
  const group = new Group(size);
  let first: { readonly error: unknown } | null = null;
  const results = await Promise.allSettled(
    Array.from({ length: size }, async (_, rank) => {
      try {
        return await body(rankOf(group, rank));
      } catch (error) {
        first ??= { error };
        group.fail(error instanceof Error ? error : new Error(String(error)));
        throw error;
      }
    }),
  );
  const failed = first as { readonly error: unknown } | null;
  if (failed !== null) throw failed.error;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}
