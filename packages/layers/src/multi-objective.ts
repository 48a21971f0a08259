import {
  type DatasetLike,
  type EvaluateOptions,
  type FitOptions as TrainerFitOptions,
  type History,
  type Logs,
  MultiObjectiveTrainer,
  type ObjectiveContext,
  type Objectives,
  type TrainerOptions,
} from '@multigrad/core';
import { MultigradError, own } from '@multigrad/core/strategy';
import { checkKnownOptions, describeValue, type OptionNames } from '@multigrad/core/support';
import {
  add,
  gather,
  mean,
  mul,
  type Optimizer,
  reshape,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { applyModel, outputsBehind, penaltiesOf } from './apply-model.ts';
import { epochLine } from './epoch-line.ts';
import {
  datasetBatches,
  type DatasetElement,
  type ModelBatch,
  type Ports,
  PreparedSamples,
  type Samples,
  type Targets,
} from './model-batches.ts';
import { type ArrayLikeTensor, isRecord, type Named, namedTensors } from './named-tensors.ts';
import { type LossOption, type MetricsOption, type ModelOutput, outputsOf } from './outputs.ts';
import { optimizerOf, type OptimizerName } from './resolve-by-name.ts';
import { type ClassWeights, classWeightsOf } from './sample-weights.ts';

/** Options of {@link multiObjective}: those of a trainer, with losses by output in place of objectives. */
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

/** Options of {@link MultiObjectiveModel.fit}. */
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

/** Options of {@link MultiObjectiveModel.evaluate}. */
export interface EvaluateModelOptions extends Pick<EvaluateOptions, 'batchSize' | 'weights'> {
  /** Weight of each sample in the losses, for all outputs or by output name. @defaultValue 1 for each */
  readonly sampleWeight?: Named<ArrayLikeTensor>;
}

const optionNames: OptionNames<MultiObjectiveOptions<string>> = {
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

/**
 * A `tf.LayersModel` with several outputs that any gradient strategy trains: {@link multiObjective} makes one. The model
 * stays yours: its own `predict`, `save` and `summary` work as before.
 */
export class MultiObjectiveModel<Name extends string> {
  readonly model: LayersModel;
  /** The trainer behind it: snapshots, `freeze`, and the state for checkpoints. */
  readonly trainer: MultiObjectiveTrainer<ModelBatch, Name>;
  readonly #outputs: readonly ModelOutput[];
  readonly #ports: Ports;
  readonly #lossWeights: Readonly<Partial<Record<string, number>>>;
  readonly #behind: ReturnType<typeof outputsBehind>;
  readonly #places: ReadonlySet<number>;
  /** The optimizer, where it was made here. */
  readonly #own: Optimizer | null;

  /** @throws MultigradError as {@link multiObjective} does */
  constructor(model: LayersModel, options: MultiObjectiveOptions<Name>) {
    checkKnownOptions('multiObjective', options, optionNames);
    const { loss, metrics, optimizer, ...rest } = options;
    this.model = model;
    // A tf.Sequential names its inputs and outputs when it is built, which `compile` would do.
    if (!model.built) model.build([]);
    const { outputs, others } = outputsOf(model, loss, metrics);
    this.#outputs = outputs;
    this.#ports = {
      inputs: model.inputs.map(({ shape }, place) => ({ name: model.inputNames[place]!, shape })),
      outputs: outputs.map(({ port }) => port),
      others,
    };
    this.#lossWeights = options.lossWeights ?? {};
    this.#behind = outputsBehind(model);
    this.#places = new Set(outputs.map(({ place }) => place));
    this.#own = typeof optimizer === 'string' ? optimizerOf(optimizer) : null;
    try {
      this.trainer = new MultiObjectiveTrainer<ModelBatch, Name>({
        ...rest,
        objectives: (batch, context) => this.objectives(batch, context),
        variables: model,
        optimizer: this.#own ?? (optimizer as Exclude<typeof optimizer, OptimizerName>),
      });
    } catch (error) {
      this.#own?.dispose();
      throw error;
    }
  }

  /** Names of the outputs that have a loss: the objectives. */
  get objectiveNames(): readonly Name[] {
    return this.#outputs.map(({ port }) => port.name as Name);
  }

  /**
   * The objectives of one batch, for a trainer or a loop of your own.
   *
   * @throws MultigradError `invalid-objective` for a loss that does not fit
   */
  objectives(
    batch: ModelBatch,
    { training }: Pick<ObjectiveContext, 'training'>,
  ): Objectives<Name> {
    const predictions = applyModel(this.model, batch.inputs, { training });
    // As in LayersModel, regularizers count in training alone.
    const penalties = training
      ? penaltiesOf(this.model, this.#behind, this.#places)
      : (new Map() as ReturnType<typeof penaltiesOf>);
    const objectives = this.#outputs.flatMap(({ place, port, loss, metrics }) => {
      const targets = own(batch.targets, port.name);
      if (targets === undefined) return [];
      const { labels, rows } = targets;
      const output = predictions[place]!;
      const predicted = rows === null ? output : gather(output, rows);
      const measured = {
        loss: (penalties.get(place) ?? []).reduce<Tensor>(
          (sum, { penalty, share }) => add(sum, mul(penalty, share)),
          mean(weighted(port.name, loss(labels, predicted), targets)),
        ),
        metrics: Object.fromEntries(
          Object.entries(metrics).map(([name, metric]) => [name, mean(metric(labels, predicted))]),
        ),
        ...(rows === null ? {} : { samples: rows.size }),
      };
      return [[port.name, measured] as const];
    });
    return Object.fromEntries(objectives) as Objectives<Name>;
  }

  /**
   * Trains the model, as `LayersModel.fit` does, on arrays for its inputs and outputs or on a `tf.data.Dataset`.
   *
   * Losses and metrics have the names of `LayersModel.fit`: `loss`, `digit_loss`, `digit_acc`, and `val_` before those of
   * the validation data.
   *
   * @returns the history
   * @throws MultigradError `invalid-option`, `invalid-data`, and as `MultiObjectiveTrainer.fit` does
   */
  async fit(
    x: Named<ArrayLikeTensor>,
    y: Named<ArrayLikeTensor>,
    options?: FitOptions<Name>,
  ): Promise<History>;
  async fit(
    data: Samples | DatasetLike<DatasetElement>,
    options?: FitOptions<Name>,
  ): Promise<History>;
  async fit(...given: readonly unknown[]): Promise<History> {
    const { data, options: known } = this.#read(given);
    const options = known as FitOptions<Name>;
    checkKnownOptions('fit', options, fitOptionNames);
    const {
      batchSize = 32,
      shuffle = true,
      classWeight,
      sampleWeight,
      validationSplit,
      validationData,
      batchesPerEpoch,
      verbose = 0,
      print,
      epochs = 1,
      callbacks = [],
      ...rest
    } = options;
    checkValidation(validationSplit, validationData);
    const line = epochLine(verbose, print, epochs);
    const classes = classWeightsOf(classWeight, this.#ports.outputs);
    const opened: PreparedSamples[] = [];
    try {
      let validation =
        validationData === undefined
          ? null
          : await this.#batches(asData(validationData), batchSize, opened);
      let batches: BatchesOfEpoch;
      if (isDataset(data)) {
        refuseForDatasets(options);
        batches = datasetBatches(this.#ports, data, classes, batchesPerEpoch);
      } else {
        refuseForArrays(options);
        const all = await PreparedSamples.read(this.#ports, { sampleWeight, ...data });
        opened.push(all);
        let training = all;
        if (validationSplit !== undefined) {
          const [first, last] = all.split(validationSplit, opened);
          training = first;
          validation = last.batches({ batchSize, shuffle: false });
        }
        await training.weighClasses(classes);
        batches = training.batches({ batchSize, shuffle });
      }
      return await this.trainer.fit(batches, {
        ...rest,
        epochs,
        callbacks: line === null ? callbacks : [...callbacks, line],
        ...(validation === null ? {} : { validationData: validation }),
      });
    } finally {
      for (const samples of opened) samples.dispose();
    }
  }

  /**
   * Measures losses and metrics.
   *
   * @returns numbers by name: `loss`, the weighted sum, `digit_loss`, `digit_acc`
   * @throws MultigradError `invalid-option`, `invalid-data`, and as `MultiObjectiveTrainer.evaluate` does
   */
  async evaluate(
    x: Named<ArrayLikeTensor>,
    y: Named<ArrayLikeTensor>,
    options?: EvaluateModelOptions,
  ): Promise<Logs>;
  async evaluate(
    data: Samples | DatasetLike<DatasetElement>,
    options?: EvaluateModelOptions,
  ): Promise<Logs>;
  async evaluate(...given: readonly unknown[]): Promise<Logs> {
    const { data, options: known } = this.#read(given);
    const options = known as EvaluateModelOptions;
    checkKnownOptions('evaluate', options, evaluateOptionNames);
    const { batchSize = 32, weights = 'current' } = options;
    const opened: PreparedSamples[] = [];
    try {
      const batches = await this.#batches(
        isDataset(data) ? data : { sampleWeight: options.sampleWeight, ...data },
        batchSize,
        opened,
      );
      const { losses, metrics } = await this.trainer.evaluate(batches, { weights });
      return logsOf(losses, metrics, this.#lossWeights);
    } finally {
      for (const samples of opened) samples.dispose();
    }
  }

  /**
   * Predicts all outputs, those without a loss too.
   *
   * @returns a tensor for each output, by name; they belong to the caller
   * @throws MultigradError `invalid-data` for inputs that do not fit
   */
  predict(
    x: Named<ArrayLikeTensor>,
    options: { readonly batchSize?: number } = {},
  ): Record<string, Tensor> {
    checkKnownOptions('predict', options, { batchSize: true });
    const inputs = namedTensors('x', x, this.#ports.inputs);
    try {
      const given = inputs.length === 1 ? inputs[0]! : inputs;
      const predicted = this.model.predict(given, { ...options });
      const list = Array.isArray(predicted) ? predicted : [predicted];
      return Object.fromEntries(list.map((one, place) => [this.#nameOf(place), one]));
    } finally {
      for (const one of inputs) one.dispose();
    }
  }

  /** Frees what it made: averages, the strategy's memory, and an optimizer made from a name. The model stays yours. */
  dispose(): void {
    this.trainer.dispose();
    this.#own?.dispose();
  }

  #nameOf(place: number): string {
    const known = this.#outputs.find((output) => output.place === place);
    return known?.port.name ?? this.model.outputNames[place]!;
  }

  /** Reads the arguments of `fit` and `evaluate`, which have two forms. */
  #read(given: readonly unknown[]): {
    readonly data: Samples | DatasetLike<DatasetElement>;
    readonly options: object;
  } {
    const [first, second, third] = given;
    const pair = isRecord(first) && Object.hasOwn(first, 'x') && Object.hasOwn(first, 'y');
    const inputsOfThatName = ['x', 'y'].every((name) => this.model.inputNames.includes(name));
    if (isDataset(first) || (pair && !inputsOfThatName && given.length < 3)) {
      if (pair) checkKnownOptions('The data', first, { x: true, y: true, sampleWeight: true });
      return { data: first as unknown as Samples, options: second ?? {} };
    }
    if (given.length < 2) {
      throw new MultigradError(
        'invalid-data',
        `A model should get inputs and labels: \`(x, y, options)\`, \`({ x, y }, options)\`, or a data set of \`{ xs, ys }\`. Found ${describeValue(first)} alone.`,
      );
    }
    return { data: { x: first, y: second } as Samples, options: third ?? {} };
  }

  async #batches(
    data: Samples | DatasetLike<DatasetElement>,
    batchSize: number,
    opened: PreparedSamples[],
  ): Promise<BatchesOfEpoch> {
    if (isDataset(data)) return datasetBatches(this.#ports, data, new Map());
    const samples = await PreparedSamples.read(this.#ports, data);
    opened.push(samples);
    return samples.batches({ batchSize, shuffle: false });
  }
}

/** Numbers by the names that they have in a history. */
function logsOf(
  losses: Readonly<Record<string, number | undefined>>,
  metrics: Readonly<Record<string, Readonly<Record<string, number>> | undefined>>,
  lossWeights: Readonly<Partial<Record<string, number>>>,
): Logs {
  const numbers = Object.entries(losses).map(([name, loss]) => ({ name, loss: loss! }));
  const total = numbers.reduce(
    (sum, { name, loss }) => sum + (own(lossWeights, name) ?? 1) * loss,
    0,
  );
  return Object.fromEntries([
    ['loss', total],
    ...numbers.map(({ name, loss }) => [`${name}_loss`, loss] as const),
    ...Object.entries(metrics).flatMap(([name, ofOne]) =>
      Object.entries(ofOne!).map(([metric, value]) => [`${name}_${metric}`, value] as const),
    ),
  ]);
}

type BatchesOfEpoch = (epoch: number) => AsyncGenerator<ModelBatch, void>;

/** @throws MultigradError `invalid-option` for an option that a data set says itself */
function refuseForDatasets(options: FitOptions): void {
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
function refuseForArrays({ batchesPerEpoch }: FitOptions): void {
  if (batchesPerEpoch === undefined) return;
  throw new MultigradError(
    'invalid-option',
    'Option `batchesPerEpoch` is for data sets. Found it beside arrays, whose samples all make an epoch.',
  );
}

/**
 * Makes objectives of the outputs of a `tf.LayersModel`, and trains it by a strategy: each output with a loss is an
 * objective under the output's name. Losses, metrics and optimizers by name are those of `LayersModel.compile`.
 *
 * With the strategy `sum` it does what `LayersModel.fit` does. `layer.trainable` is read at each step; batch norm of frozen
 * layers works as in Keras, by its moving statistics. Penalties of regularizers are shared out among the outputs that their
 * layer leads to.
 *
 * @throws MultigradError `invalid-option` for names that the model or TensorFlow.js does not know, with the nearest
 *
 * @example
 * ```ts
 * import { multiObjective } from '@multigrad/layers';
 * import { mmpareto } from '@multigrad/strategy-mmpareto';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 * import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
 *
 * const pixels = input({ shape: [4], name: 'pixels' });
 * const hidden = layers.dense({ units: 8, activation: 'relu' }).apply(pixels);
 * const digit = layers.dense({ units: 3, activation: 'softmax', name: 'digit' }).apply(hidden);
 * const size = layers.dense({ units: 1, name: 'size' }).apply(hidden);
 * const net = model({ inputs: pixels, outputs: [digit, size] as SymbolicTensor[] });
 *
 * const multi = multiObjective(net, {
 *   loss: { digit: 'sparseCategoricalCrossentropy', size: 'meanSquaredError' },
 *   metrics: { digit: 'accuracy' },
 *   optimizer: 'adam',
 *   strategy: mmpareto(),
 * });
 * const x = tf.randomNormal([30, 4], 0, 1, 'float32', 1);
 * const y = { digit: Array.from({ length: 30 }, (_, n) => n % 3), size: tf.sum(x, 1) };
 * const { history } = await multi.fit(x, y, { epochs: 2, validationSplit: 0.2 });
 * console.log(history.digit_acc?.length, history.val_size_loss?.length); // 2 2
 * console.log(multi.predict(x).digit?.shape); // [ 30, 3 ]
 * multi.dispose();
 * ```
 */
export function multiObjective<Name extends string>(
  model: LayersModel,
  options: MultiObjectiveOptions<Name>,
): MultiObjectiveModel<Name> {
  return new MultiObjectiveModel(model, options);
}

/** The losses of samples, each times its weight. */
function weighted(name: string, loss: Tensor, { weights }: Targets): Tensor {
  if (weights === null) return loss;
  if (loss.rank === 0) {
    throw new MultigradError(
      'invalid-objective',
      `The loss of \`${name}\` should be one number for each sample where samples or classes have weights. Found a scalar: ` +
        'return the losses before their mean, as those of `tf.metrics` do.',
    );
  }
  return mul(loss, reshape(weights, [weights.size, ...loss.shape.slice(1).map(() => 1)]));
}

function isDataset(value: unknown): value is DatasetLike<DatasetElement> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'iterator' in value &&
    typeof value.iterator === 'function'
  );
}

function asData(given: ValidationData): Samples | DatasetLike<DatasetElement> {
  if (!Array.isArray(given)) return given as Samples | DatasetLike<DatasetElement>;
  const [x, y, sampleWeight] = given as readonly Named<ArrayLikeTensor>[];
  if (x !== undefined && y !== undefined && given.length <= 3) return { x, y, sampleWeight };
  throw new MultigradError(
    'invalid-option',
    `Option \`validationData\` should be [x, y], [x, y, sampleWeight], { x, y } or a data set. Found a list of ${given.length}.`,
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
