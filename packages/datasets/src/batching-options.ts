import type { OptionsOf } from '@multigrad/core/strategy';

/** Descriptions of the options of /** How a data set is cut into batches. */
export const batchingSpecs = {
  /** Samples in a batch, an integer >= 1. @defaultValue 64 */
  batchSize: {
    kind: 'number',
    default: 64,
    minimum: 1,
    integer: true,
    description: 'Samples in a batch, an integer >= 1.',
  },
  /** Seed of the order, an integer >= 0; null keeps the order in which the samples are stored. @defaultValue null */
  shuffleSeed: {
    kind: 'number',
    default: null,
    minimum: 0,
    integer: true,
    nullable: true,
    description: 'Seed of the order, an integer >= 0; null keeps the stored order.',
  },
  /** Whether a last batch of fewer than `batchSize` samples is left out. @defaultValue false */
  dropRemainder: {
    kind: 'boolean',
    default: false,
    description: 'Whether a last, smaller batch is left out.',
  },
  /**
   * Batches that are begun before they are asked for, an integer >= 0: with a source that reads from disk, the next
   * batches load while this one is trained on. Batches that nobody takes are disposed of.
   *
   * @defaultValue 0
   */
  prefetch: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Batches begun before they are asked for, an integer >= 0.',
  },
} as const;

/** How a data set is cut into batches. */
export interface BatchingOptions extends OptionsOf<typeof batchingSpecs> {}

/** Descriptions of the options of /** The epoch, and the batch with which it begins. */
export const epochSpecs = {
  /** Number of the epoch, an integer >= 0: shuffled epochs differ in their order. @defaultValue 0 */
  epoch: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Number of the epoch, an integer >= 0.',
  },
  /**
   * Batches to leave out at the start without making their tensors, an integer >= 0: where a run resumes.
   *
   * @defaultValue 0
   */
  firstBatch: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Batches to leave out at the start, an integer >= 0.',
  },
} as const;

/** The epoch, and the batch with which it begins. */
export interface EpochOptions extends OptionsOf<typeof epochSpecs> {}

/** {@link BatchingOptions} and {@link EpochOptions} together. */
export type BatchesOptions = BatchingOptions & EpochOptions;
