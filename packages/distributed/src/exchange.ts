import { type GradientExchange, sliceOf } from '@multigrad/core';
import { type Json, MultigradError } from '@multigrad/core/strategy';
import { differencesOfRanks } from '@multigrad/core/support';
import type { Communicator } from './communicator.ts';
import { broadcastIn, gatherIn, newSlot, type Slot } from './json.ts';
import { waitedFor } from './measured.ts';
import { countsOf, offsetsOf, sumOfParts } from './parts.ts';
import { RowBuckets } from './row-buckets.ts';
import { type WireFormat, wireFormats } from './wire.ts';

/**
 * Numbers in a bucket unless the options say otherwise. The last bucket of the last backward pass is what nothing hides: of
 * ResNet-18, 11.2 million parameters and K = 3, this one leaves 1.6 % of the gradients, 4 Mi would leave 6.5 %.
 */
export const defaultBucket: number = 2 ** 20;

/** Options of {@link gradientExchange}. */
export interface ExchangeOptions {
  /**
   * Numbers that are sent at a time, an integer >= 1. The copies beside the gradients themselves take the memory of so
   * many float32 numbers, or of the largest tensor where that is larger: rows are never divided. @defaultValue 1 Mi
   */
  readonly bucket?: number;
  /**
   * How gradients are sent: `bfloat16` rounds them to 16 bits on their way, which halves the bytes. Sums stay float32, and so do
   * weights, statistics and inner products. The error depends on how far the ranks' gradients cancel each other; it is
   * measured at the first sums, which are sent both ways. The same on every rank. @defaultValue 'float32'
   */
  readonly wire?: WireFormat;
  /**
   * The largest relative error of the first sums, `|rounded − exact| / |exact|` over all of them, with which `bfloat16` is
   * accepted; a number > 0. @defaultValue 0.01
   */
  readonly wireTolerance?: number;
}

/** An exchange that knows the error of its gradients. */
export interface RankExchange extends GradientExchange {
  /** The relative error of the first sums of gradients; 0 for `float32`, null before the first. */
  wireError(): number | null;
}

/**
 * The exchange between a trainer's ranks, over a communicator: pass it to `MultiObjectiveTrainer` as `exchange`.
 *
 * @throws MultigradError `invalid-option`; `structure-changed`, at the first sums, where ranks have other options; `unsupported`
 *   on every rank where gradients rounded to bfloat16 are less exact than `wireTolerance`
 *
 * @example
 * ```ts
 * import { MultiObjectiveTrainer } from '@multigrad/core';
 * import { gradientExchange, runRanks, shardBatches } from '@multigrad/distributed';
 * import { pcgrad } from '@multigrad/strategy-pcgrad';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 *
 * const data = [{ x: tf.tensor2d([[1, 0], [0, 1], [1, 1], [2, 1]]) }];
 * // Two ranks in this process; `mpirun` starts them as processes, with `openMpi()` in the place of `runRanks`.
 * const weights = await runRanks(2, async (communicator) => {
 *   const kernel = tf.variable(tf.tensor2d([[0.5], [-0.5]]));
 *   const trainer = new MultiObjectiveTrainer({
 *     objectives: ({ x }: { x: tf.Tensor2D }) => {
 *       const y = tf.matMul(x, kernel);
 *       return { up: tf.mean(tf.square(tf.sub(y, 1))), down: tf.mean(tf.square(y)) };
 *     },
 *     variables: new Map([['kernel', kernel]]),
 *     strategy: pcgrad({ seed: 1 }),
 *     optimizer: tf.train.sgd(0.1),
 *     exchange: gradientExchange(communicator),
 *   });
 *   await trainer.fit(shardBatches(() => data, communicator), { epochs: 3 });
 *   return kernel.dataSync();
 * });
 * console.log(weights[0]?.join() === weights[1]?.join()); // true
 * ```
 */
export function gradientExchange(
  communicator: Communicator,
  { bucket = defaultBucket, wire = 'float32', wireTolerance = 0.01 }: ExchangeOptions = {},
): RankExchange {
  if (!Number.isInteger(bucket) || bucket < 1) {
    throw new MultigradError(
      'invalid-option',
      `Option \`bucket\` should be an integer >= 1. Found ${bucket}.`,
    );
  }
  if (!wireFormats.includes(wire)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`wire\` should be \`float32\` or \`bfloat16\`. Found ${wire}.`,
    );
  }
  if (!(wireTolerance > 0)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`wireTolerance\` should be a number > 0. Found ${wireTolerance}.`,
    );
  }
  const { rank, size, allGatherNow } = communicator;
  const slot = newSlot();
  const own = { bucket, wire, wireTolerance };
  let agreed = false;
  let wireError: number | null = wire === 'float32' ? 0 : null;
  const agree = async (): Promise<void> => {
    if (agreed) return;
    communicator.nextCall('options of the exchange');
    const differences = differencesOfRanks(await gatherIn<typeof own>(slot, communicator, own));
    if (differences.length > 0) {
      throw new MultigradError(
        'structure-changed',
        `All ranks should exchange gradients in the same way. Found\n${differences.join('\n')}`,
      );
    }
    agreed = true;
  };
  return {
    rank,
    size,
    gather: async (what, value) => gatherAlike(slot, communicator, what, value),
    fromRoot: async (what, value) => {
      communicator.nextCall(what);
      const { what: asked, value: given } = await broadcastIn(
        slot,
        communicator,
        rank === 0 ? { what, value } : null,
      );
      if (asked !== what) throw outOfStep(0, asked, rank, what);
      return given!;
    },
    sum: async (values) => {
      communicator.nextCall('sums');
      const counts = new Array<number>(size).fill(values.length);
      return sumOfParts(await communicator.allGather(values, counts), size);
    },
    sumNow:
      allGatherNow === null
        ? null
        : (values) => {
            communicator.nextCall('sums of a forward pass');
            values.set(sumOfParts(allGatherNow(values), size));
          },
    sumRows: () =>
      new RowBuckets(communicator, bucket, {
        format: wire,
        measures: wireError === null,
        begin: agree,
        measured: (error) => {
          // Gradients that are zero or not finite tell nothing: the next ones are measured.
          if (!Number.isFinite(error)) return;
          if (error <= wireTolerance) {
            wireError = error;
            return;
          }
          throw new MultigradError(
            'unsupported',
            `Gradients sent as bfloat16 should have a relative error of at most ${wireTolerance} (\`wireTolerance\`). ` +
              `Found ${error.toExponential(1)} at the first sums: use \`wire: 'float32'\`.`,
          );
        },
      }),
    wireError: () => wireError,
    allGather: async (slices, sizes, take) => {
      communicator.nextCall('weights');
      const parts = partsOf(slices, sizes);
      let index = 0;
      const takeAll = async (underWay: Promise<Float32Array[]>): Promise<void> => {
        for (const whole of await waitedFor(communicator, 'allGather', underWay)) {
          take(whole, index);
          index += 1;
        }
      };
      // A bucket is on its way while the one before it is put together.
      let before: Promise<Float32Array[]> | null = null;
      for (const some of buckets(parts, (part) => part.size, bucket)) {
        const next = gatherBucket(communicator, some);
        // Whoever waits for it gets the error.
        next.catch(() => undefined);
        if (before !== null) await takeAll(before);
        before = next;
      }
      if (before !== null) await takeAll(before);
    },
    gatherToRoot: async (slices, sizes, take) => {
      communicator.nextCall('snapshot');
      const parts = partsOf(slices, sizes);
      let index = 0;
      for (const some of buckets(parts, (part) => part.size, bucket)) {
        const counts = countsOf(
          some.map(({ size: of }) => of),
          size,
        );
        // Each rank sends rank 0 as many numbers as the rank that has most.
        const most = Math.max(...counts);
        const toEach = Array.from({ length: size }, (_, to) => (to === 0 ? most : 0));
        const all = await communicator.allToAll(joined(some, most), toEach);
        if (rank > 0) continue;
        const offsets = counts.map((_, from) => from * most);
        for (const whole of wholeRows(some, all, offsets)) take(whole, index++);
      }
    },
    broadcast: async (values) => {
      communicator.nextCall('first weights');
      await communicator.broadcast(values);
    },
  };
}

async function gatherAlike<T extends Json>(
  slot: Slot,
  communicator: Communicator,
  what: string,
  value: T,
): Promise<readonly T[]> {
  communicator.nextCall(what);
  const all = await gatherIn<{ what: string; value: T }>(slot, communicator, { what, value });
  all.forEach((one, rank) => {
    if (one.what !== all[0]!.what) throw outOfStep(0, all[0]!.what, rank, one.what);
  });
  return all.map((one) => one.value);
}

function outOfStep(a: number, first: string, b: number, second: string): MultigradError {
  return new MultigradError(
    'interleaved-call',
    `All ranks should make the same calls on the same amount of data. Found rank ${a} at its ${first}, rank ${b} at its ${second}.`,
  );
}

/** Cuts a list into runs of at most `limit` numbers each, but of at least one thing. */
export function* buckets<T>(
  things: readonly T[],
  sizeOf: (thing: T) => number,
  limit: number,
): Generator<readonly T[], void> {
  let some: T[] = [];
  let filled = 0;
  for (const thing of things) {
    const size = sizeOf(thing);
    if (some.length > 0 && filled + size > limit) {
      yield some;
      some = [];
      filled = 0;
    }
    some.push(thing);
    filled += size;
    if (filled >= limit) {
      yield some;
      some = [];
      filled = 0;
    }
  }
  if (some.length > 0) yield some;
}

/** One rank's slice of a row of so many numbers. */
interface Part {
  readonly slice: Float32Array;
  readonly size: number;
}

function partsOf(slices: readonly Float32Array[], sizes: readonly number[]): Part[] {
  return slices.map((slice, index) => ({ slice, size: sizes[index]! }));
}

/** Slices one after the other, in an array of a length. */
function joined(parts: readonly Part[], length: number): Float32Array {
  const own = new Float32Array(length);
  let offset = 0;
  for (const { slice } of parts) {
    own.set(slice, offset);
    offset += slice.length;
  }
  return own;
}

async function gatherBucket(
  communicator: Communicator,
  parts: readonly Part[],
): Promise<Float32Array[]> {
  const counts = countsOf(
    parts.map(({ size }) => size),
    communicator.size,
  );
  const all = await communicator.allGather(joined(parts, counts[communicator.rank]!), counts);
  return wholeRows(parts, all, offsetsOf(counts));
}

/** Whole rows of the slices of all ranks. @param offsets - where those of each rank begin */
function wholeRows(
  parts: readonly Part[],
  all: Float32Array,
  offsets: readonly number[],
): Float32Array[] {
  const ranks = offsets.length;
  const at = [...offsets];
  return parts.map(({ size }) => {
    const whole = new Float32Array(size);
    for (let other = 0; other < ranks; other += 1) {
      const { begin, end } = sliceOf(size, other, ranks);
      whole.set(all.subarray(at[other], at[other]! + end - begin), begin);
      at[other]! += end - begin;
    }
    return whole;
  });
}
