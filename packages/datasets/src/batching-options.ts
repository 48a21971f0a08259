import type { OptionSpecs } from '@multigrad/core/strategy';

/** How a data set is cut into batches. */
export interface BatchingOptions {
  /**
   * Samples in a batch, an integer >= 1.
   *
   * @defaultValue 64
   */
  readonly batchSize?: number;
  /**
   * Seed of the order, an integer >= 0; null keeps the order in which the samples are stored.
   *
   * @defaultValue null
   */
  readonly shuffleSeed?: number | null;
  /**
   * Whether a last batch of fewer than `batchSize` samples is left out.
   *
   * @defaultValue false
   */
  readonly dropRemainder?: boolean;
  /**
   * Batches that are begun before they are asked for, an integer >= 0: with a source that reads from disk, the next
   * batches load while this one is trained on. Batches that nobody takes are disposed of.
   *
   * @defaultValue 0
   */
  readonly prefetch?: number;
}

/** The epoch, and the batch with which it begins. */
export interface EpochOptions {
  /**
   * Number of the epoch, an integer >= 0: shuffled epochs differ in their order.
   *
   * @defaultValue 0
   */
  readonly epoch?: number;
  /**
   * Batches to leave out at the start without making their tensors, an integer >= 0: where a run resumes.
   *
   * @defaultValue 0
   */
  readonly firstBatch?: number;
}

/** {@link BatchingOptions} and {@link EpochOptions} together. */
export type BatchesOptions = BatchingOptions & EpochOptions;

/** Description of {@link BatchingOptions}. */
export const batchingSpecs: OptionSpecs<BatchingOptions> = {
  batchSize: {
    kind: 'number',
    default: 64,
    minimum: 1,
    integer: true,
    description: 'Samples in a batch, an integer >= 1.',
  },
  shuffleSeed: {
    kind: 'number',
    default: null,
    minimum: 0,
    integer: true,
    nullable: true,
    description: 'Seed of the order, an integer >= 0; null keeps the stored order.',
  },
  dropRemainder: {
    kind: 'boolean',
    default: false,
    description: 'Whether a last, smaller batch is left out.',
  },
  prefetch: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Batches begun before they are asked for, an integer >= 0.',
  },
};

/** Description of {@link EpochOptions}. */
export const epochSpecs: OptionSpecs<EpochOptions> = {
  epoch: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Number of the epoch, an integer >= 0.',
  },
  firstBatch: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Batches to leave out at the start, an integer >= 0.',
  },
};
