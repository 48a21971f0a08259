import { MultigradError } from '../strategy/errors.ts';
import { type Objectives, type FeatureObjectives, readForward } from '../engine/objectives.ts';
import { readTogether } from '../engine/read-back.ts';
import { scoped } from '../engine/scoped.ts';
import { scalarsOf, sortNumbers } from '../engine/step-context.ts';
import { batchSize } from './batch-size.ts';
import { EventLoopBreaks } from './event-loop.ts';
import { type Measured, Measurements } from './measurements.ts';

/** Means over a data set, weighted by the number of samples of each batch. */
export interface Evaluation<Name extends string = string> extends Measured<Name> {
  /** Samples seen. */
  readonly samples: number;
}

/** Evaluates a forward function over batches; no gradients, one read-back per batch. */
export async function evaluateBatches<Batch, Name extends string>(
  forward: (batch: Batch) => Objectives<Name> | FeatureObjectives<Name>,
  batches: AsyncIterable<Batch>,
  signal?: AbortSignal,
): Promise<Evaluation<Name>> {
  const measurements = new Measurements();
  let samples = 0;
  const breaks = new EventLoopBreaks(30);
  for await (const batch of batches) {
    await breaks.take();
    if (signal?.aborted === true) break;
    const size = batchSize(batch);
    const { scalars, objectives } = scoped(() => {
      const present = readForward(forward(batch)).objectives;
      return {
        objectives: present.map(({ name, loss, metrics: own }) => ({ name, loss, metrics: own })),
        scalars: scalarsOf(present),
      };
    });
    const values = await readTogether(scalars).finally(() => {
      for (const scalar of scalars) scalar.dispose();
    });
    const numbers = sortNumbers(objectives, values);
    const byName = <T>(of: ArrayLike<T>): Record<string, T> =>
      Object.fromEntries(objectives.map(({ name }, k) => [name, of[k]!]));
    measurements.add({ losses: byName(numbers.losses), metrics: byName(numbers.metrics) }, size);
    samples += size;
  }
  if (samples === 0 && signal?.aborted !== true) {
    throw new MultigradError(
      'invalid-data',
      'The data to evaluate should yield at least one batch. Found none.',
    );
  }
  return { samples, ...measurements.means<Name>() };
}
