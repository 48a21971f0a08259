import { batchDigest } from './batch-digest.ts';

const wholes = new WeakMap<object, string>();

/**
 * Notes that a batch is this rank's part of a whole batch. A trainer among ranks refuses a step where the parts belong to
 * different batches.
 *
 * @param part - the batch that this rank trains on: a record, an array or a tensor
 * @param whole - text that identifies the whole batch, the same on every rank
 *
 * @example
 * ```ts
 * import { batchDigest, markBatchPart } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const whole = { x: tf.tensor1d([1, 2, 3, 4]) };
 * const part = { x: tf.slice(whole.x, 0, 2) };
 * markBatchPart(part, `epoch 0, batch 0, ${await batchDigest(whole)}`);
 * ```
 */
export function markBatchPart(part: unknown, whole: string): void {
  if (typeof part === 'object' && part !== null) wholes.set(part, whole);
}

const empty = new WeakSet<object>();

/**
 * Notes that a batch counts for nothing: this rank has no sample of the whole batch, and takes part in the step with those of
 * another one, whose losses and gradients are left out. A forward pass over no samples at all is more than most layers can do.
 *
 * @param part - the batch that this rank's forward pass runs on: a record, an array or a tensor
 *
 * @example
 * ```ts
 * import { markEmptyPart } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const borrowed = { x: tf.tensor1d([1]) };
 * markEmptyPart(borrowed);
 * ```
 */
export function markEmptyPart(part: unknown): void {
  if (typeof part === 'object' && part !== null) empty.add(part);
}

/** Whether a batch counts for nothing. */
export function isEmptyPart(part: unknown): boolean {
  return typeof part === 'object' && part !== null && empty.has(part);
}

/** Marks a copy of a batch as the batch is marked. */
export function keepMarks(batch: unknown, copy: unknown): void {
  if (typeof batch !== 'object' || batch === null) return;
  const whole = wholes.get(batch);
  if (whole !== undefined) markBatchPart(copy, whole);
  if (empty.has(batch)) markEmptyPart(copy);
}

/** What one rank says of a batch: the whole that it is a part of, or its own digest where it is not marked. */
export interface BatchOrigin {
  readonly whole: string | null;
  readonly own: string | null;
}

/** @param withDigest - whether an unmarked batch is read, to find batches that are the same on all ranks */
export async function batchOrigin(batch: unknown, withDigest: boolean): Promise<BatchOrigin> {
  const whole = typeof batch === 'object' && batch !== null ? (wholes.get(batch) ?? null) : null;
  return { whole, own: whole === null && withDigest ? await batchDigest(batch) : null };
}

/**
 * Compares where the ranks' batches come from.
 *
 * @param origins - by rank, those of the batches of one step
 * @returns what is wrong, as a sentence; null where nothing is
 */
export function originFault(origins: readonly (readonly BatchOrigin[])[]): string | null {
  const [first = []] = origins;
  const text = ({ whole }: BatchOrigin): string =>
    whole === null ? 'a batch that `shardBatches` did not make' : `a part of ${whole}`;
  for (const [batch, { whole, own }] of first.entries()) {
    for (const [rank, others] of origins.entries()) {
      const other = others[batch];
      if (rank === 0 || other === undefined) continue;
      if (other.whole !== whole) {
        return (
          'All ranks should train on parts of the same batch: each reads the same data in the same order, with the same seed. ' +
          `Found ${text(first[batch]!)} on rank 0, ${text(other)} on rank ${rank}.`
        );
      }
      if (own !== null && other.own === own) {
        return (
          'Each rank should train on its own samples. Found the same batch on rank 0 ' +
          `and rank ${rank}: share batches out with \`shardBatches\`, or let each rank read other samples.`
        );
      }
    }
  }
  return null;
}
