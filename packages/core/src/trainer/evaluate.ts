import { MultigradError } from '../strategy/errors.ts';
import { type Objectives, type FeatureObjectives, readForward } from '../engine/objectives.ts';
import { readTogether } from '../engine/read-back.ts';
import { scoped } from '../engine/scoped.ts';
import { scalarsOf, sortNumbers } from '../engine/step-context.ts';
import { batchSize } from './batch-size.ts';
import { EventLoopBreaks } from './event-loop.ts';
import { RunningMeans } from './running-means.ts';

/** Means over a data set, weighted by the number of samples of each batch. */
export interface Evaluation<Name extends string = string> {
  /** Samples seen. */
  readonly samples: number;
  readonly losses: Readonly<Partial<Record<Name, number>>>;
  readonly metrics: Readonly<Partial<Record<Name, Readonly<Record<string, number>>>>>;
}

/** Evaluates a forward function over batches; no gradients, one read-back per batch. */
export async function evaluateBatches<Batch, Name extends string>(
  forward: (batch: Batch) => Objectives<Name> | FeatureObjectives<Name>,
  batches: AsyncIterable<Batch>,
  signal?: AbortSignal,
): Promise<Evaluation<Name>> {
  const losses = new RunningMeans();
  const metrics = new Map<string, RunningMeans>();
  let samples = 0;
  const breaks = new EventLoopBreaks(30);
  for await (const batch of batches) {
    await breaks.take();
    if (signal?.aborted === true) break;
    const size = batchSize(batch);
    const { names, scalars, objectives } = scoped(() => {
      const present = readForward(forward(batch)).objectives;
      return {
        names: present.map(({ name }) => name),
        objectives: present.map(({ name, loss, metrics: own }) => ({ name, loss, metrics: own })),
        scalars: scalarsOf(present),
      };
    });
    const values = await readTogether(scalars).finally(() => {
      for (const scalar of scalars) scalar.dispose();
    });
    const numbers = sortNumbers(objectives, values);
    names.forEach((name, k) => {
      losses.add(name, numbers.losses[k]!, size);
      const means = metrics.get(name) ?? new RunningMeans();
      metrics.set(name, means);
      for (const [metric, value] of Object.entries(numbers.metrics[k]!)) {
        means.add(metric, value, size);
      }
    });
    samples += size;
  }
  if (samples === 0 && signal?.aborted !== true) {
    throw new MultigradError(
      'invalid-data',
      'The data to evaluate should yield at least one batch. Found none.',
    );
  }
  return {
    samples,
    losses: Object.fromEntries(losses.means()) as Partial<Record<Name, number>>,
    metrics: Object.fromEntries(
      Array.from(metrics, ([name, means]) => [name, Object.fromEntries(means.means())]),
    ) as Partial<Record<Name, Record<string, number>>>,
  };
}
