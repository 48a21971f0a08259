import { MultigradError, type OptionSpec } from '@multigrad/core/strategy';
import { type BatchSource, batchesByEpoch, batchesPerEpoch, splitBy } from '@multigrad/datasets';
import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { Experiment } from './experiment.ts';
import { numberSetting, type Settings } from '../runs/settings.ts';

/** Samples of a batch in evaluation, which keeps no gradients and so has room for more than training. */
const testBatchSize = 250;

/** The setting for how many samples are taken of a set of `maximum`. */
export function sampleCount(maximum: number, fallback: number, description: string): OptionSpec {
  return { kind: 'number', integer: true, minimum: 1, maximum, default: fallback, description };
}

/** A setting of a network's width. */
export function widthSetting(
  fallback: number,
  description = 'Channels of the first convolutions; the later ones have twice as many.',
): OptionSpec {
  return { kind: 'number', integer: true, minimum: 1, default: fallback, description };
}

/** Samples that a recipe draws for training: those to train on and those to select models by. */
export function drawnSize(settings: Settings): number {
  return numberSetting(settings, 'train-size') + numberSetting(settings, 'validation-size');
}

/**
 * Checks that a batch fits into the training samples, and these with the validation samples into what there is.
 *
 * @throws MultigradError `invalid-option`
 */
export function checkSizes(settings: Settings, available: number): void {
  const [size, batch] = [
    numberSetting(settings, 'train-size'),
    numberSetting(settings, 'batch-size'),
  ];
  if (batch > size) {
    throw new MultigradError(
      'invalid-option',
      `Option \`batch-size\` should be at most \`train-size\`. Found ${batch} for ${size} training samples.`,
    );
  }
  if (drawnSize(settings) > available) {
    throw new MultigradError(
      'invalid-option',
      `Options \`train-size\` and \`validation-size\` should add up to at most ${available}. Found ${drawnSize(settings)}.`,
    );
  }
}

/** The samples that an experiment trains on, selects models by, and tests on. */
export interface ExperimentSets<Batch extends NamedTensorMap> {
  readonly train: BatchSource<Batch>;
  readonly validation: BatchSource<Batch> | null;
  readonly test: BatchSource<Batch>;
}

/**
 * Of the samples that were drawn for training, the first ones to train on and the rest to validate.
 *
 * @param drawn - `train-size` + `validation-size` samples
 */
export function validationSplit<Batch extends NamedTensorMap>(
  settings: Settings,
  drawn: BatchSource<Batch>,
): Pick<ExperimentSets<Batch>, 'train' | 'validation'> {
  const size = numberSetting(settings, 'train-size');
  return drawn.count > size
    ? splitBy(drawn, ['train', 'validation'], (i) => (i < size ? 'train' : 'validation'))
    : { train: drawn, validation: null };
}

/**
 * The batches of an experiment: whole ones to train on, in an order of the seed, and all samples otherwise.
 *
 * @param prefetch - batches that are read ahead, for samples that come from disk; tests then take batches as small as
 * training does
 */
export function experimentBatches<Batch extends NamedTensorMap>(
  settings: Settings,
  seed: number,
  { train, validation, test }: ExperimentSets<Batch>,
  prefetch = 0,
): Pick<Experiment<Batch>, 'stepsPerEpoch' | 'train' | 'validation' | 'test'> {
  const batching = {
    batchSize: numberSetting(settings, 'batch-size'),
    shuffleSeed: seed,
    dropRemainder: true,
    prefetch,
  };
  const inOrder = (source: BatchSource<Batch>) => () =>
    batchesByEpoch(source, {
      batchSize: prefetch > 0 ? batching.batchSize : testBatchSize,
      prefetch,
    })(0);
  return {
    stepsPerEpoch: batchesPerEpoch(train.count, batching),
    train: batchesByEpoch(train, batching),
    validation: validation === null ? null : inOrder(validation),
    test: inOrder(test),
  };
}
