import type { OptionNames } from '../base/known-options.ts';
import { dispose, Tensor, type TensorContainer } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { keepMarks } from '../ranks/batch-part.ts';
import { startsAtBatch } from './resumable-batches.ts';
import { isTensorRecord, tensorBatches } from './tensor-batches.ts';

/** The part of `tf.data.Dataset` that training reads. */
export interface DatasetLike<Batch> {
  /** Starts reading: an iterator over the batches of one epoch. */
  iterator(): Promise<{
    /** The next batch, or the end. */
    next(): Promise<IteratorResult<Batch>>;
  }>;
}

/**
 * A source of batches:
 *
 * - a record of tensors with the samples along their first axis, cut into batches and shuffled by the trainer
 * - an array of batches, or another iterable or async iterable
 * - a function of the epoch that returns one of these, for data that differ or have another order in each epoch
 * - a `tf.data.Dataset`
 *
 * Batches of arrays and records stay the caller's; all others are disposed of after their step.
 */
export type DataSource<Batch> =
  | Batch
  | Iterable<Batch>
  | AsyncIterable<Batch>
  | ((epoch: number) => Iterable<Batch> | AsyncIterable<Batch>)
  | DatasetLike<Batch>;

/**
 * A mark on a function of the epoch that frees each of its batches when the next one is read. The reader must not free them.
 */
export const freesItsBatches: unique symbol = Symbol('multigrad.freesItsBatches');

/** How a data source is read. */
export interface ReadOptions {
  /**
   * Samples per batch, for records of tensors. @defaultValue 32
   *
   * @group Data
   */
  readonly batchSize?: number | undefined;
  /**
   * Whether the samples of a record of tensors come in a new order at each epoch. The order follows from the seed and the
   * number of the epoch: `true` has the seed 0, an integer is another seed, `false` keeps the given order. Other sources
   * have their order from where they are made: for them all but `false` is refused. @defaultValue false
   *
   * @group Data
   */
  readonly shuffle?: number | boolean | undefined;
  /**
   * Whether to dispose of each batch after its step. @defaultValue false for arrays of batches, else true
   *
   * @group Data
   */
  readonly disposeBatches?: boolean | undefined;
}

/** The names of {@link ReadOptions}. */
export const readOptionNames: OptionNames<ReadOptions> = {
  batchSize: true,
  shuffle: true,
  disposeBatches: true,
};

/**
 * Reads the batches of one epoch. It frees each batch, unless the caller owns it, when the next one is read or reading ends.
 *
 * @throws MultigradError `invalid-data` when the source is of no known kind
 */
export async function* readBatches<Batch>(
  source: DataSource<Batch>,
  epoch: number,
  options: ReadOptions,
  firstBatch = 0,
): AsyncGenerator<Batch, void> {
  const { batches, owned, first } = open(source, epoch, options, firstBatch);
  let number = first;
  for await (const batch of batches) {
    try {
      if (number >= firstBatch) yield batch;
      number += 1;
    } finally {
      if (options.disposeBatches ?? owned) dispose(batch as TensorContainer);
    }
  }
  if (number >= firstBatch) return;
  throw new MultigradError(
    'invalid-data',
    `Training should go on after ${firstBatch} batches of epoch ${epoch}. Found ${number}: these are other data.`,
  );
}

/**
 * Reads the batches of one epoch, `count` at a time, for strategies that take gradients of independent batches. Fewer than
 * `count` batches at the end of an epoch are not used.
 *
 * @param count - an integer >= 1
 */
export async function* readBatchGroups<Batch>(
  source: DataSource<Batch>,
  epoch: number,
  options: ReadOptions,
  count: number,
  firstGroup = 0,
): AsyncGenerator<readonly Batch[], void> {
  const firstBatch = firstGroup * count;
  if (count === 1) {
    for await (const batch of readBatches(source, epoch, options, firstBatch)) yield [batch];
    return;
  }
  let group: Batch[] = [];
  try {
    for await (const batch of readBatches(source, epoch, options, firstBatch)) {
      // The reader frees a batch when the next one is read. Clones share its data and live until the step is over.
      const copy = cloneTensors(batch) as Batch;
      keepMarks(batch, copy);
      group.push(copy);
      if (group.length < count) continue;
      yield group;
      dispose(group as TensorContainer);
      group = [];
    }
  } finally {
    dispose(group as TensorContainer);
  }
}

/** Copies a container with each tensor cloned and every other value as it is. */
function cloneTensors(value: unknown): unknown {
  if (value instanceof Tensor) return (value as Tensor).clone();
  if (Array.isArray(value)) return value.map(cloneTensors);
  if (typeof value !== 'object' || value === null || !isPlainRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, cloneTensors(child)]),
  );
}

function isPlainRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

interface OpenSource<Batch> {
  readonly batches: Iterable<Batch> | AsyncIterable<Batch>;
  /** Whether the reader has to free the batches. */
  readonly owned: boolean;
  /** Number of the first batch to read. */
  readonly first: number;
}

function open<Batch>(
  source: DataSource<Batch>,
  epoch: number,
  { batchSize = 32, shuffle = false }: ReadOptions,
  firstBatch: number,
): OpenSource<Batch> {
  if (shuffle !== false) checkMayShuffle(source);
  if (typeof source === 'function') {
    const make = source as (
      epoch: number,
      firstBatch?: number,
    ) => Iterable<Batch> | AsyncIterable<Batch>;
    const owned = !(freesItsBatches in source);
    return startsAtBatch in source
      ? { batches: make(epoch, firstBatch), owned, first: firstBatch }
      : { batches: make(epoch), owned, first: 0 };
  }
  if (Array.isArray(source)) {
    return { batches: source as readonly Batch[], owned: false, first: 0 };
  }
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source || Symbol.iterator in source) {
      return { batches: source as AsyncIterable<Batch>, owned: true, first: 0 };
    }
    if ('iterator' in source && typeof source.iterator === 'function') {
      return { batches: datasetBatches(source), owned: true, first: 0 };
    }
    if (isTensorRecord(source)) {
      const batches = tensorBatches(source, { batchSize, shuffle })(epoch, firstBatch);
      return { batches: batches as Iterable<Batch>, owned: true, first: firstBatch };
    }
  }
  throw new MultigradError(
    'invalid-data',
    'Data should be a record of tensors, an iterable of batches, a function of the epoch that returns one, or a tf.data.Dataset. ' +
      `Found ${source === null ? 'null' : typeof source}.`,
  );
}

/** @throws MultigradError `invalid-option` for a source whose samples are not at hand */
function checkMayShuffle(source: unknown): void {
  const kind = kindOf(source);
  if (kind === null) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`shuffle\` orders the samples of a record of tensors. Found ${kind}, whose order is made elsewhere: ` +
      'shuffle there (`dataset.shuffle(size, seed)`, `shuffleSeed` of `batchesByEpoch`, `shuffle` of `tensorBatches` or `perObjective`), ' +
      'and leave the option out here.',
  );
}

/** The kind of a source that brings its own order, in words; null for a record of tensors and for what is no source. */
function kindOf(source: unknown): string | null {
  if (typeof source === 'function') return 'a function of the epoch';
  if (Array.isArray(source)) return 'an array of batches';
  if (typeof source !== 'object' || source === null) return null;
  if (Symbol.asyncIterator in source || Symbol.iterator in source) return 'an iterable of batches';
  return 'iterator' in source && typeof source.iterator === 'function' ? 'a tf.data.Dataset' : null;
}

async function* datasetBatches<Batch>(dataset: DatasetLike<Batch>): AsyncGenerator<Batch, void> {
  const iterator = await dataset.iterator();
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    yield next.value;
  }
}
