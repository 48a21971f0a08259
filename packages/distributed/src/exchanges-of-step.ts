import { buckets, defaultBucket } from './exchange.ts';
import { newSlot } from './json.ts';

/** A variable, as the exchanges of a step see it. */
export interface ExchangedVariable {
  /** Its numbers, an integer >= 0. */
  readonly size: number;
  /** The objectives that reach it. */
  readonly objectives: readonly string[];
}

/** Batch norms over the samples of all ranks. */
export interface ExchangedNorms {
  /** Layers. */
  readonly layers: number;
  /** Exchanges in the forward pass: the batch norms of a residual block's two paths share one. @defaultValue `layers` */
  readonly forward?: number;
  /** Channels of all of them together. */
  readonly channels: number;
  /** Channels of the layers that gradients pass through. */
  readonly passed: number;
  /** Exchanges in the backward passes: layers that do not wait for each other share one. */
  readonly backward: number;
}

/** What decides how much is exchanged in a step of a strategy that sees gradients of parameters. */
export interface StepToExchange {
  /** N, an integer >= 1. */
  readonly ranks: number;
  /** All objectives, in their order: K of them. */
  readonly objectives: readonly string[];
  /** In the trainer's order; groups are those of `groupBy: 'reach'`. */
  readonly variables: readonly ExchangedVariable[];
  /** Numbers in statistics that each rank follows over its own samples. @defaultValue 0 */
  readonly statistics?: number;
  /** Batch norms with the trainer's option `synchronise`; statistics are alike on all ranks then. @defaultValue none */
  readonly norms?: ExchangedNorms;
  /** Numbers in a bucket. @defaultValue that of `gradientExchange` */
  readonly bucket?: number;
  /** Bytes of a message of JSON: 1024, or the power of two that holds the longest one so far. @defaultValue 1024 */
  readonly message?: number;
}

/** Calls and bytes of one kind of exchange. */
export interface CountedExchange {
  readonly calls: number;
  readonly bytes: number;
}

/** The exchanges of a step by kind, as `measured` counts them. */
export type StepExchanges = Readonly<
  Record<'reduceScatter' | 'allGather' | 'control', CountedExchange>
>;

/**
 * The calls and bytes of a step on each rank, where the strategy sees gradients of parameters.
 *
 * - Gradients: `4 Σ_v |v| k_v` bytes, for k_v objectives that reach variable v, in buckets of whole variables. A bucket ends with
 *   the backward pass of an objective; with `norms` the objectives go side by side.
 * - Weights: `4 Σ_v |v|` bytes, in buckets.
 * - Small ones: whether to stop, the batches and the forward passes of all ranks (a message of JSON from each), the Gramian of
 *   each variable in float64 with its length (`8 N Σ_v (k_v² + 1)` bytes), and the decisions (one message): 5 calls.
 *   Statistics are one more (`8 N S`). Norms are one for each layer (`8 N (2 C + 1)`), or for several that share it, and those of the backward passes
 *   (`8 N K · 2 C` in all).
 *
 * @example
 * ```ts
 * import { exchangesOfStep } from '@multigrad/distributed';
 *
 * const objectives = ['image', 'audio'];
 * const { reduceScatter, control } = exchangesOfStep({
 *   ranks: 4,
 *   objectives,
 *   variables: [
 *     { size: 1000, objectives },
 *     { size: 10, objectives: ['image'] },
 *   ],
 * });
 * console.log(reduceScatter, control.calls); // { calls: 2, bytes: 8040 } 5
 * ```
 */
export function exchangesOfStep({
  ranks,
  objectives,
  variables,
  statistics = 0,
  norms,
  bucket = defaultBucket,
  message = newSlot().bytes,
}: StepToExchange): StepExchanges {
  const numbersOf = (sizes: readonly number[]): number =>
    sizes.reduce((sum, size) => sum + size, 0);
  const exchanged = (runs: readonly (readonly number[])[]): CountedExchange => ({
    calls: runs.reduce((sum, run) => sum + [...buckets(run, (size) => size, bucket)].length, 0),
    bytes: 4 * runs.reduce((sum, run) => sum + numbersOf(run), 0),
  });
  const backwards = variables.toReversed();
  const gradients =
    norms === undefined
      ? objectives.map((objective) =>
          backwards.flatMap((one) => (one.objectives.includes(objective) ? [one.size] : [])),
        )
      : [backwards.flatMap(({ size, objectives: own }) => own.map(() => size))];
  const products = numbersOf(variables.map(({ objectives: { length } }) => length ** 2 + 1));
  const { layers, forward = layers, channels, passed, backward } = norms ?? noNorms;
  const followed = norms === undefined ? statistics : 0;
  const numbers = products + followed + 2 * channels + layers + 2 * objectives.length * passed;
  return {
    reduceScatter: exchanged(gradients),
    allGather: exchanged([variables.map(({ size }) => size)]),
    control: {
      calls: 5 + Number(followed > 0) + forward + backward,
      bytes: (3 * ranks + 1) * message + 8 * ranks * numbers,
    },
  };
}

const noNorms: ExchangedNorms = { layers: 0, channels: 0, passed: 0, backward: 0 };
