import { own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancedObjectives } from '../contract/network.ts';

/** Numbers by name, those of each objective. */
export type MeansByObjective = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * The mean loss and metrics of each objective over batches, weighted by numbers of samples; the loss by the name `loss`. The
 * batches are freed.
 */
export async function measureBatches<Batch extends tf.TensorContainer>(
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  objectivesOf: (batch: Batch) => BalancedObjectives,
  sizeOf: (batch: Batch) => number,
): Promise<MeansByObjective> {
  const sums = new Map<string, { count: number; readonly totals: Map<string, number> }>();
  for await (const batch of batches) {
    const measured = tf.tidy(() =>
      Object.entries(objectivesOf(batch)).map(([name, { loss, metrics = {}, samples }]) => ({
        name,
        names: ['loss', ...Object.keys(metrics)].join('\n'),
        values: tf.stack(
          [samples ?? sizeOf(batch), loss, ...Object.values(metrics)].map((one) =>
            tf.cast(one, 'float32'),
          ),
        ),
      })),
    ) as unknown as readonly { name: string; names: string; values: tf.Tensor }[];
    try {
      for (const { name, names, values } of measured) {
        const [count, ...means] = await values.data<'float32'>();
        if (count === 0) continue;
        const sum = sums.get(name) ?? { count: 0, totals: new Map<string, number>() };
        sum.count += count!;
        names.split('\n').forEach((one, k) => {
          sum.totals.set(one, (sum.totals.get(one) ?? 0) + means[k]! * count!);
        });
        sums.set(name, sum);
      }
    } finally {
      tf.dispose([measured.map(({ values }) => values), batch]);
    }
  }
  return Object.fromEntries(
    Array.from(sums, ([name, { count, totals }]) => [
      name,
      Object.fromEntries(Array.from(totals, ([one, total]) => [one, total / count])),
    ]),
  );
}

/** Of what was measured one number of each objective, by objective. */
export function numberOfEach(measured: MeansByObjective, name: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(measured).flatMap(([objective, numbers]) => {
      const value = own(numbers, name);
      return value === undefined ? [] : [[objective, value]];
    }),
  );
}
