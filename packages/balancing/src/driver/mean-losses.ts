import * as tf from '@tensorflow/tfjs-core';
import type { BalancedObjectives } from '../contract/network.ts';

/** The mean loss of each objective over batches, weighted by numbers of samples. The batches are freed. */
export async function meanLosses<Batch extends tf.TensorContainer>(
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  objectivesOf: (batch: Batch) => BalancedObjectives,
  sizeOf: (batch: Batch) => number,
): Promise<Record<string, number>> {
  const sums = new Map<string, { readonly total: number; readonly count: number }>();
  for await (const batch of batches) {
    const measured = tf.tidy(() =>
      Object.fromEntries(
        Object.entries(objectivesOf(batch)).map(([name, { loss, samples }]) => [
          name,
          tf.stack([loss, samples ?? sizeOf(batch)].map((one) => tf.cast(one, 'float32'))),
        ]),
      ),
    );
    try {
      for (const [name, pair] of Object.entries(measured)) {
        const [loss, count] = await pair.data<'float32'>();
        if (count === 0) continue;
        const sum = sums.get(name) ?? { total: 0, count: 0 };
        sums.set(name, { total: sum.total + loss! * count!, count: sum.count + count! });
      }
    } finally {
      tf.dispose([measured, batch]);
    }
  }
  return Object.fromEntries(Array.from(sums, ([name, { total, count }]) => [name, total / count]));
}
