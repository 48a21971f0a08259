import {
  type History,
  type Logs,
  MultiObjectiveTrainer,
  type ObjectiveContext,
  type Objectives,
} from '@multigrad/core';
import { own } from '@multigrad/core/strategy';
import { checkKnownOptions } from '@multigrad/core/support';
import type { Optimizer, Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { applyModel, outputsBehind, penaltiesOf } from './apply-model.ts';
import { asData, isDataset, type ModelData, readArguments } from './data-arguments.ts';
import { epochLine } from './epoch-line.ts';
import { measureOutputs } from './measure-outputs.ts';
import { datasetBatches, type ModelBatch, type Ports, PreparedSamples } from './model-batches.ts';
import { type ArrayLikeTensor, type Named, namedTensors } from './named-tensors.ts';
import {
  checkEvaluateOptions,
  checkFitOptions,
  checkModelOptions,
  type EvaluateModelOptions,
  type FitOptions,
  type MultiObjectiveOptions,
  refuseForArrays,
  refuseForDatasets,
} from './options.ts';
import { type ModelOutput, outputsOf } from './outputs.ts';
import { optimizerOf, type OptimizerName } from './resolve-by-name.ts';
import { classWeightsOf } from './sample-weights.ts';

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
    checkModelOptions(options);
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
    return measureOutputs<Name>(this.#outputs, predictions, batch.targets, penalties);
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
  async fit(data: ModelData, options?: FitOptions<Name>): Promise<History>;
  async fit(...given: readonly unknown[]): Promise<History> {
    const { data, options: known } = readArguments(given, this.model.inputNames);
    const options = known as FitOptions<Name>;
    checkFitOptions(options);
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
  async evaluate(data: ModelData, options?: EvaluateModelOptions): Promise<Logs>;
  async evaluate(...given: readonly unknown[]): Promise<Logs> {
    const { data, options: known } = readArguments(given, this.model.inputNames);
    const options = known as EvaluateModelOptions;
    checkEvaluateOptions(options);
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

  async #batches(
    data: ModelData,
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
