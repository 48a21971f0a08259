import type { MultiObjectiveTrainer } from '@multigrad/core';
import { own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { Experiment, MetricValues } from '@multigrad/experiment';
import { invalidExperiment, thrownBy } from '../experiments/invalid-experiment.ts';
import type { PreparedExperiment } from '../experiments/prepare.ts';
import type { EpochRecord, ObjectiveScore } from '../runs/records.ts';
import { numberSetting, selectsBest, type Settings } from '../runs/settings.ts';
import { contributionOf, measuresContribution } from './contribution.ts';
import { assertMetrics } from './try-experiment.ts';

/** The scores of an epoch on data that it was not trained on. */
export type Scores = Pick<EpochRecord, 'test' | 'validation' | 'without' | 'contribution'>;

/** Measures the scores after an epoch, counted from 0; null where the user interrupted. */
export type Evaluate = (epoch: number) => Promise<Scores | null>;

/** The error that ends an interrupted evaluation; nothing outside of this file sees it. */
const interrupted = new Error('interrupted');

/**
 * The evaluation of a run: on the validation set, on the test set, on the test set without each modality, and what each of
 * them contributes.
 *
 * @param signal - ends an evaluation between two batches
 */
export function evaluator(
  trainer: MultiObjectiveTrainer<tf.NamedTensorMap, string>,
  experiment: Experiment,
  prepared: PreparedExperiment,
  settings: Settings,
  signal: AbortSignal,
): Evaluate {
  const scores = async (
    batches: () => AsyncIterable<tf.NamedTensorMap>,
  ): Promise<Record<string, ObjectiveScore>> => {
    const { losses, metrics } = await trainer.evaluate(() => untilInterrupted(batches(), signal));
    const further = await furtherMetrics(experiment, prepared, () =>
      untilInterrupted(batches(), signal),
    );
    return Object.fromEntries(
      Object.entries(losses).map(([name, loss]) => {
        const measured = { ...own(metrics, name), ...own(further, name) };
        assertMetrics(experiment, name, measured);
        return [name, { loss: loss!, ...measured }];
      }),
    );
  };
  const { validation, modalities } = prepared;
  const contribution = contributionOf(prepared, settings);
  return async (epoch) => {
    // Only the epoch that tables show is measured without modalities; with `select: best` that may be any.
    const shown = selectsBest(settings) || epoch + 1 === numberSetting(settings, 'epochs');
    const missing = shown ? modalities : [];
    try {
      const test = await scores(() => prepared.test());
      const without: [string, Record<string, ObjectiveScore>][] = [];
      for (const modality of missing)
        without.push([modality, await scores(() => withZeros(prepared.test(), modality))]);
      return {
        ...(validation === null ? {} : { validation: await scores(validation) }),
        test,
        ...(missing.length === 0 ? {} : { without: Object.fromEntries(without) }),
        ...(measuresContribution(settings, epoch, shown)
          ? { contribution: await contribution((batches) => untilInterrupted(batches, signal)) }
          : {}),
      };
    } catch (error) {
      if (error === interrupted) return null;
      throw error;
    }
  };
}

/** The metrics that the experiment measures on a whole data set itself. */
async function furtherMetrics(
  experiment: Experiment,
  { evaluate }: PreparedExperiment,
  batches: () => AsyncIterable<tf.NamedTensorMap>,
): Promise<MetricValues> {
  if (evaluate === null) return {};
  let measured: unknown;
  try {
    measured = await evaluate(batches());
  } catch (cause) {
    if (cause === interrupted) throw cause;
    throw thrownBy(experiment, 'evaluate', cause);
  }
  const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null;
  const entries = isRecord(measured) ? Object.entries(measured as object) : [];
  const numbers = entries.flatMap(([, values]): unknown[] =>
    isRecord(values) ? Object.values(values as object) : ['nothing'],
  );
  if (isRecord(measured) && numbers.every((value) => typeof value === 'number')) {
    return measured as MetricValues;
  }
  throw invalidExperiment(
    experiment,
    '`evaluate` should return numbers by objective and metric, as in `{ left: { f1: 0.8 } }`',
    measured,
  );
}

/** Yields the batches until the signal is aborted, then throws `interrupted`. */
async function* untilInterrupted(
  batches: AsyncIterable<tf.NamedTensorMap>,
  signal: AbortSignal,
): AsyncGenerator<tf.NamedTensorMap, void> {
  for await (const batch of batches) {
    if (signal.aborted) {
      tf.dispose(batch);
      throw interrupted;
    }
    yield batch;
  }
}

/** Yields the batches with zeros in the place of one modality, as where a sensor has failed. */
async function* withZeros(
  batches: AsyncIterable<tf.NamedTensorMap>,
  modality: string,
): AsyncGenerator<tf.NamedTensorMap, void> {
  for await (const batch of batches) {
    const present = own(batch, modality)!;
    const zeros = tf.zerosLike(present);
    present.dispose();
    yield { ...batch, [modality]: zeros };
  }
}
