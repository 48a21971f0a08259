import { MultigradError } from '../base/errors.ts';
import { type Objectives, type FeatureObjectives, readForward } from '../network/objectives.ts';
import { readTogether } from '../tape/read-back.ts';
import { scoped } from '../tape/ownership.ts';
import { samplesOf, sampleTensors, scalarsOf, sortNumbers } from '../network/numbers.ts';
import type { Collective } from '../ranks/collective.ts';
import { EventLoopBreaks } from './event-loop.ts';
import { type Measured, Measurements } from './measurements.ts';

/** Means over a data set, weighted by the number of samples of each batch. */
export interface Evaluation<Name extends string = string> extends Measured<Name> {
  /** Samples seen. */
  readonly samples: number;
}

/**
 * Evaluates a forward function over batches; no gradients, one read-back per batch. Where an objective says how many
 * samples have a label, its means are over those.
 *
 * @param batches - this rank's batches; the means are over the batches of all ranks
 * @param stopped - whether to end early; all ranks have to answer the same
 */
export async function evaluateBatches<Batch, Name extends string>(
  forward: (batch: Batch) => Objectives<Name> | FeatureObjectives<Name>,
  batches: AsyncIterable<Batch>,
  sizeOf: (batch: Batch) => number,
  collective: Collective,
  stopped: () => boolean = () => false,
): Promise<Evaluation<Name>> {
  const measurements = new Measurements();
  let samples = 0;
  const breaks = new EventLoopBreaks(30);
  for await (const batch of batches) {
    await breaks.take();
    if (stopped()) break;
    const size = sizeOf(batch);
    const { scalars, counts, objectives } = scoped(() => {
      const present = readForward(forward(batch), collective.size > 1).objectives;
      return {
        objectives: present.map((objective) => ({ ...objective, losses: null })),
        scalars: scalarsOf(present),
        counts: sampleTensors(present),
      };
    });
    const values = await readTogether([...scalars, ...counts]).finally(() => {
      for (const scalar of [...scalars, ...counts]) scalar.dispose();
    });
    const numbers = sortNumbers(objectives, values);
    const counted = samplesOf(objectives, values.slice(scalars.length), size);
    const byName = <T>(of: ArrayLike<T>): Record<string, T> =>
      Object.fromEntries(objectives.map(({ name }, k) => [name, of[k]!]));
    measurements.add(
      { losses: byName(numbers.losses), metrics: byName(numbers.metrics) },
      byName(counted),
    );
    samples += size;
  }
  const all = await collective.fromEach('evaluation', () => ({
    samples,
    sums: measurements.snapshot(),
  }));
  const total = all.reduce((sum, one) => sum + one.samples, 0);
  if (!stopped()) checkSome(total);
  return { samples: total, ...Measurements.sumOf(all.map(({ sums }) => sums)).means<Name>() };
}

/** @throws MultigradError `invalid-data` */
function checkSome(samples: number): void {
  if (samples > 0) return;
  throw new MultigradError(
    'invalid-data',
    'The data to evaluate should yield at least one batch. Found none.',
  );
}
