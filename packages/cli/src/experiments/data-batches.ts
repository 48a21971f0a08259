import { resumableBatches } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { batchesByEpoch, batchesPerEpoch, splitBy } from '@multigrad/datasets';
import type { DataSet, Experiment, ExperimentData, Samples } from '@multigrad/experiment';
import { dispose, type NamedTensorMap } from '@tensorflow/tfjs-core';
import { numberSetting, type Settings } from '../runs/settings.ts';

/** Samples of a batch in evaluation, which keeps no gradients and so has room for more than training. */
const testBatchSize = 250;

/** What is trained on. */
type EpochBatches = Pick<DataBatches, 'stepsPerEpoch' | 'train'>;

/** The samples of a training set, and how batches are made of them. */
export interface TrainingSamples {
  readonly source: Samples;
  /** Batches of samples that were drawn from these, in their order. */
  inOrder(samples: Samples): EpochBatches;
}

/** The batches that a run trains on and is measured with. */
export interface DataBatches {
  readonly stepsPerEpoch: number;
  /** The batches of an epoch, counted from 0, from one of them on; whoever draws a batch owns its tensors. */
  train(epoch: number, firstBatch?: number): AsyncIterable<NamedTensorMap>;
  /** The validation set in batches, always in the same order: what models are selected by; null where there is none. */
  readonly validation: (() => AsyncIterable<NamedTensorMap>) | null;
  /** The training samples; null where the experiment makes its batches itself. */
  readonly samples: TrainingSamples | null;
  /** The test set in batches, always in the same order. */
  test(): AsyncIterable<NamedTensorMap>;
}

/**
 * The batches of an experiment's data: of samples whole ones to train on, in an order of the seed, and all samples
 * otherwise; batches as they are.
 *
 * @throws MultigradError `invalid-option` for a `validation-size` or `batch-size` that does not fit
 */
export function dataBatches(
  experiment: Experiment,
  data: ExperimentData,
  settings: Settings,
  seed: number,
): DataBatches {
  const { prefetch = 0 } = data;
  const { train, validation } = withValidation(experiment, data, settings);
  const batchSize = numberSetting(settings, 'batch-size');
  const inOrder = (set: DataSet) => (): AsyncIterable<NamedTensorMap> =>
    isSamples(set)
      ? batchesByEpoch(set, { batchSize: prefetch > 0 ? batchSize : testBatchSize, prefetch })(0)
      : set.batches(0);
  const measured = {
    validation: validation === null ? null : inOrder(validation),
    test: inOrder(data.test),
  };
  if (!isSamples(train)) {
    return { stepsPerEpoch: train.steps, train: fromBatch(train), samples: null, ...measured };
  }
  const batches = (source: Samples, shuffleSeed: number | null): EpochBatches => {
    const batching = { batchSize, shuffleSeed, dropRemainder: true, prefetch };
    return {
      stepsPerEpoch: batchesPerEpoch(source.count, batching),
      train: batchesByEpoch(source, batching),
    };
  };
  const { stepsPerEpoch, train: shuffled } = batches(train, seed);
  if (stepsPerEpoch === 0) {
    throw new MultigradError(
      'invalid-option',
      `Option \`batch-size\` of \`${experiment.name}\` should be at most the number of training samples, ${train.count}. ` +
        `Found ${batchSize}.`,
    );
  }
  return {
    stepsPerEpoch,
    train: shuffled,
    samples: { source: train, inOrder: (drawn) => batches(drawn, null) },
    ...measured,
  };
}

function isSamples(set: DataSet): set is Samples {
  return 'count' in set;
}

/** The training set and the validation set: the experiment's own one, or the last samples of the training set. */
function withValidation(
  experiment: Experiment,
  { train, validation }: ExperimentData,
  settings: Settings,
): { readonly train: DataSet; readonly validation: DataSet | null } {
  const size = numberSetting(settings, 'validation-size');
  // An experiment that describes the setting has followed it itself.
  const free = size > 0 && !Object.hasOwn(experiment.settings, 'validation-size');
  if (validation !== undefined) {
    if (free)
      throw misfit(experiment, '0, as the experiment has a validation set of its own', size);
    return { train, validation };
  }
  if (size === 0) return { train, validation: null };
  if (!isSamples(train)) {
    throw misfit(experiment, '0, as the experiment makes its training batches itself', size);
  }
  const kept = train.count - size;
  if (kept < 1) {
    throw misfit(experiment, `less than the number of training samples, ${train.count}`, size);
  }
  return splitBy(train, ['train', 'validation'], (i) => (i < kept ? 'train' : 'validation'));
}

function misfit({ name }: Experiment, expected: string, found: number): MultigradError {
  return new MultigradError(
    'invalid-option',
    `Option \`validation-size\` of \`${name}\` should be ${expected}. Found ${found}.`,
  );
}

/** Batches from one of them on. A function of the epoch alone gives all: those before are read and freed. */
function fromBatch(set: Exclude<DataSet, Samples>): DataBatches['train'] {
  if (set.batches.length > 1) {
    return resumableBatches((epoch, firstBatch) => set.batches(epoch, firstBatch));
  }
  return resumableBatches((epoch, firstBatch) => skip(set.batches(epoch), firstBatch));
}

async function* skip(
  batches: AsyncIterable<NamedTensorMap>,
  count: number,
): AsyncGenerator<NamedTensorMap, void> {
  let number = 0;
  for await (const batch of batches) {
    if (number >= count) yield batch;
    else dispose(batch);
    number += 1;
  }
}
