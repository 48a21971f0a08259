import type {
  DatasetLike,
  EvaluateOptions,
  FitOptions as TrainerFitOptions,
  TrainerOptions,
} from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { checkKnownOptions, describeValue, type OptionNames } from '@multigrad/core/support';
import type { DatasetElement, ModelBatch, Samples } from './model-batches.ts';
import type { ArrayLikeTensor, Named } from './named-tensors.ts';
import type { LossOption, MetricsOption } from './outputs.ts';
import type { OptimizerName } from './resolve-by-name.ts';
import type { ClassWeights } from './sample-weights.ts';

/** Options of `multiObjective`: those of a trainer, with losses by output in place of objectives. */
export interface MultiObjectiveOptions<Name extends string> extends Omit<
  TrainerOptions<ModelBatch, Name>,
  'objectives' | 'variables' | 'statistics' | 'optimizer'
> {
  /**
   * The losses: by output name, as a list in the order of the outputs, or one for all outputs. A loss is a name that
   * `LayersModel.compile` knows, or a function of labels and predictions. Each is an objective under its output's name. An
   * output without a loss is not trained.
   */
  readonly loss: LossOption<Name>;
  /** Metrics, such as `'accuracy'`: for all outputs with a loss, or by output name. @defaultValue none */
  readonly metrics?: MetricsOption<NoInfer<Name>>;
  /** An optimizer, or a name that `LayersModel.compile` knows: it is then that one, with Keras's default rate. */
  readonly optimizer: TrainerOptions<ModelBatch, Name>['optimizer'] | OptimizerName;
}

/** Options of `MultiObjectiveModel.fit`. */
export interface FitOptions<Name extends string = string> extends Omit<
  TrainerFitOptions<ModelBatch, Name>,
  'epochs' | 'validationData' | 'disposeBatches' | 'shuffle'
> {
  /** Number of epochs in all, an integer >= 1. @defaultValue 1 */
  readonly epochs?: number;
  /**
   * Whether the samples come in a new order at each epoch, which follows from the seed and the epoch: `true` has the seed 0,
   * an integer is another seed. Data sets are shuffled where they are made. @defaultValue true for arrays
   */
  readonly shuffle?: number | boolean;
  /** Weight of each class in the loss of the one output, or by output name. @defaultValue 1 for each */
  readonly classWeight?: ClassWeights;
  /** Weight of each sample in the losses, for all outputs or by output name. @defaultValue 1 for each */
  readonly sampleWeight?: Named<ArrayLikeTensor>;
  /** Share of the samples, the last ones before any shuffling, to validate with: in (0, 1). @defaultValue none */
  readonly validationSplit?: number;
  /** Data to evaluate after each epoch: `[x, y]`, `[x, y, sampleWeight]`, `{ x, y }` or a data set. @defaultValue none */
  readonly validationData?: ValidationData;
  /** Number of batches of a data set that make an epoch, an integer >= 1; each epoch begins anew. @defaultValue all */
  readonly batchesPerEpoch?: number;
  /** 1 or 2: writes a line with losses and metrics after each epoch. @defaultValue 0 */
  readonly verbose?: 0 | 1 | 2;
  /** Takes the lines of `verbose`. @defaultValue console.log */
  readonly print?: (line: string) => void;
}

/** Data to validate with. */
export type ValidationData =
  | readonly [
      x: Named<ArrayLikeTensor>,
      y: Named<ArrayLikeTensor>,
      sampleWeight?: Named<ArrayLikeTensor>,
    ]
  | Samples
  | DatasetLike<DatasetElement>;

/** Options of `MultiObjectiveModel.evaluate`. */
export interface EvaluateModelOptions extends Pick<EvaluateOptions, 'batchSize' | 'weights'> {
  /** Weight of each sample in the losses, for all outputs or by output name. @defaultValue 1 for each */
  readonly sampleWeight?: Named<ArrayLikeTensor>;
}

const modelOptionNames: OptionNames<MultiObjectiveOptions<string>> = {
  ...{ loss: true, metrics: true, optimizer: true, strategy: true, lossWeights: true },
  ...{ groupBy: true, parts: true, level: true, singles: true, accumulate: true, observe: true },
  ...{ learningRate: true, rateFactors: true, clip: true, clipObjectives: true, average: true },
  ...{ weightDecay: true, decoupledWeightDecay: true, onNonFinite: true, maxSkips: true },
  ...{ lossScale: true, exchange: true, synchronise: true, modulate: true, compile: true },
};

const fitOptionNames: OptionNames<FitOptions> = {
  ...{ epochs: true, batchSize: true, shuffle: true, classWeight: true, sampleWeight: true },
  ...{ validationSplit: true, validationData: true, validationWeights: true },
  ...{ batchesPerEpoch: true, verbose: true, print: true, callbacks: true, initialEpoch: true },
  ...{ resume: true, signal: true, yieldEvery: true },
};

const evaluateOptionNames: OptionNames<EvaluateModelOptions> = {
  ...{ batchSize: true, weights: true, sampleWeight: true },
};

/** @throws MultigradError `invalid-option` for an option that `multiObjective` does not know, with the nearest */
export function checkModelOptions(options: object): void {
  checkKnownOptions('multiObjective', options, modelOptionNames);
}

/** @throws MultigradError `invalid-option` for an option that `fit` does not know, or for two ways to validate */
export function checkFitOptions(options: FitOptions): void {
  checkKnownOptions('fit', options, fitOptionNames);
  checkValidation(options.validationSplit, options.validationData);
}

/** @throws MultigradError `invalid-option` for an option that `evaluate` does not know */
export function checkEvaluateOptions(options: object): void {
  checkKnownOptions('evaluate', options, evaluateOptionNames);
}

/** @throws MultigradError `invalid-option` for an option that a data set says itself */
export function refuseForDatasets(options: FitOptions): void {
  for (const name of ['batchSize', 'shuffle', 'sampleWeight', 'validationSplit'] as const) {
    if (options[name] === undefined || options[name] === false) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${name}\` is for arrays. Found it beside a data set, which says so itself: ` +
        '`dataset.shuffle(size, seed).batch(size)`, `{ xs, ys, sampleWeight }`, or data of its own to validate with.',
    );
  }
}

/** @throws MultigradError `invalid-option` */
export function refuseForArrays({ batchesPerEpoch }: FitOptions): void {
  if (batchesPerEpoch === undefined) return;
  throw new MultigradError(
    'invalid-option',
    'Option `batchesPerEpoch` is for data sets. Found it beside arrays, whose samples all make an epoch.',
  );
}

function checkValidation(split: number | undefined, data: unknown): void {
  if (split === undefined) return;
  if (!(split > 0 && split < 1)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`validationSplit\` should be a number between 0 and 1. Found ${describeValue(split)}.`,
    );
  }
  if (data === undefined) return;
  throw new MultigradError(
    'invalid-option',
    'Options `validationSplit` and `validationData` exclude each other. Found both.',
  );
}
