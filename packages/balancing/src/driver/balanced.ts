import {
  batchSize,
  type Logs,
  type MeasuredStep,
  type Modulate,
  type ObjectiveContext,
  type StepModulation,
  type TrainerCallback,
} from '@multigrad/core';
import { type Json, MultigradError, own } from '@multigrad/core/strategy';
import { checkKnownOptions, describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import type { SampleSource } from '../contract/data.ts';
import type {
  BalancingMethod,
  EpochEnd,
  EpochStart,
  NetworkDescription,
} from '../contract/method.ts';
import type {
  BalancedNetwork,
  BalancedObjectives,
  ByModality,
  MeasuredObjective,
} from '../contract/network.ts';
import { entry, record } from '../support/by-name.ts';
import { drawnSamples, masksIn } from './drawn-samples.ts';
import { type MeansByObjective, measureBatches, numberOfEach } from './measure-batches.ts';
import { onePass } from './one-pass.ts';
import { Readings } from './readings.ts';
import { modulationsOf, partsOf } from './parts.ts';
import {
  type BatchReader,
  type DataOption,
  labelledBatches,
  trainingData,
} from './training-data.ts';

/** Options of {@link balanced}. */
export interface BalancedOptions<Batch> {
  /** The inputs of a batch, by modality. @defaultValue the batch itself, whose other keys are left aside */
  readonly inputs?: (batch: Batch) => ByModality;
  /** The class labels of a batch, n integers, −1 where one is missing, int32. @defaultValue `batch.label` */
  readonly labels?: (batch: Batch) => tf.Tensor1D;
  /**
   * Your own objectives, for methods that leave the forward pass alone and for evaluation.
   * @defaultValue the network's
   */
  readonly objectives?: (batch: Batch, context: ObjectiveContext) => BalancedObjectives;
  /** The training data, for methods that read them outside of steps. @defaultValue none */
  readonly data?: DataOption<Batch>;
  /**
   * The validation data in batches, new tensors: for methods that read them, and for those that need their losses where `fit`
   * gets no `validationData`.
   * @defaultValue none
   */
  readonly validation?: () => Iterable<Batch> | AsyncIterable<Batch>;
}

/** The options of a `MultiObjectiveTrainer` that a balancing method gives. */
export interface BalancedTraining<Batch> {
  /** One forward pass: the objectives as the method has them. */
  readonly objectives: (
    batch: Batch,
    context: ObjectiveContext,
  ) => Record<string, MeasuredObjective>;
  /** Factors on the objectives' gradients; absent where the method has none. */
  readonly lossWeights?: Readonly<Record<string, number>>;
  /** What the method does to the parts of the network at each step; absent where it does nothing. */
  readonly modulate?: Modulate;
}

/** A method at work on a network. Make one with {@link balanced}. */
export interface Balanced<Batch> {
  /** Options for a `MultiObjectiveTrainer`, beside variables, parts, strategy and optimizer. */
  readonly options: BalancedTraining<Batch>;
  /** For `fit`: what happens before and after epochs, and the method's state in checkpoints. */
  readonly callback: TrainerCallback;
  /** The samples of an epoch, which the method may draw; the same ones where it draws none. */
  readonly samples: <Own extends tf.NamedTensorMap>(
    all: SampleSource<Own>,
    epoch: number,
  ) => SampleSource<Own>;
  /** The method's state. */
  readonly state: () => Json;
  /** Frees the tensors that the method keeps. */
  readonly dispose: () => void;
}

/**
 * Puts a balancing method to work on a network: its part of a trainer's options, and a callback.
 *
 * The strategy sees the gradients of the objectives that the method returns; the method modulates what the strategy yields;
 * then the optimizer gets it. Any strategy, optimizer and number of modalities go together with any method.
 *
 * Make it before training, also where a run resumes: a method may keep the initial weights.
 *
 * @param network - the network that is trained; it stays the caller's
 * @throws MultigradError `unsupported` for a network that the method cannot serve or data that it needs and lacks, with the
 * reason; `invalid-argument` for what is no method or no network
 *
 * @example
 * ```ts
 * import { balanced, ogmGe } from '@multigrad/balancing';
 * import { MultiObjectiveTrainer } from '@multigrad/core';
 * import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
 * import { mmpareto } from '@multigrad/strategy-mmpareto';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, classes: 2 });
 * const balance = balanced(ogmGe({ alpha: 0.3 }), network);
 * const trainer = new MultiObjectiveTrainer({
 *   ...balance.options,
 *   variables: network.trainableVariables,
 *   parts: network.parts,
 *   strategy: mmpareto(),
 *   optimizer: tf.train.sgd(0.1),
 * });
 * const data = { a: tf.eye(2, 3), b: tf.ones([2, 3]), label: tf.tensor1d([0, 1], 'int32') };
 * const { history } = await trainer.fit([data], { epochs: 2, callbacks: [balance.callback] });
 * console.log(Object.keys(history).includes('multimodal_ogm-ge/a')); // true
 * balance.dispose();
 * ```
 */
export function balanced<Batch extends tf.TensorContainer = tf.NamedTensorMap>(
  method: BalancingMethod,
  network: BalancedNetwork,
  options: BalancedOptions<Batch> = {},
): Balanced<Batch> {
  assertGiven(method, network);
  checkKnownOptions('balanced', options, {
    ...{ inputs: true, labels: true, objectives: true, data: true, validation: true },
  });
  return new Driver(method, network, options);
}

class Driver<Batch extends tf.TensorContainer> implements Balanced<Batch> {
  readonly options: Balanced<Batch>['options'];
  readonly callback: TrainerCallback;
  readonly #method: BalancingMethod;
  readonly #network: BalancedNetwork;
  readonly #given: BalancedOptions<Batch>;
  readonly #reader: BatchReader<Batch>;
  readonly #joint: string;
  readonly #parts: ReturnType<typeof partsOf>;
  /** Of which variables the method gets the norm of the gradient. */
  readonly #gradientLists: Readonly<Record<string, readonly tf.Variable[]>>;
  readonly #initial: ReadonlyMap<string, tf.Tensor>;
  /** The trainer reads this object at every step. */
  readonly #lossWeights: Record<string, number> = {};
  #state: Json;
  #tensors: tf.NamedTensorMap = {};
  readonly #readings = new Readings();

  constructor(method: BalancingMethod, network: BalancedNetwork, given: BalancedOptions<Batch>) {
    assertServed(method, network, given);
    this.#method = method;
    this.#network = network;
    this.#given = given;
    this.#reader = readerOf(network, given);
    this.#joint = network.objectiveNames[0]!;
    this.#parts = partsOf(network);
    this.#gradientLists =
      method.gradientLists?.(network) ??
      record([...this.#parts.keys()], (part) => [...this.#parts.get(part)!.keys()]);
    this.#initial = new Map(
      method.needs.initialWeights === true
        ? Array.from(network.namedVariables, ([name, one]) => [name, tf.keep(tf.clone(one))])
        : [],
    );
    this.#state = method.init(descriptionOf(network));
    this.#useState();
    this.options = {
      objectives: (batch, context) => this.#objectives(batch, context),
      ...(method.lossWeights === undefined ? {} : { lossWeights: this.#lossWeights }),
      ...(method.modulate === undefined ? {} : { modulate: (step) => this.#modulate(step) }),
    };
    this.callback = {
      name: `balancing ${method.name}`,
      snapshot: () => this.#state,
      restore: (state) => this.#replace(state),
      onEpochBegin: async (epoch) => this.#beforeEpoch(epoch),
      onEpochEnd: async (epoch, logs) => this.#afterEpoch(epoch, logs),
    };
  }

  state(): Json {
    return this.#state;
  }

  samples<Own extends tf.NamedTensorMap>(all: SampleSource<Own>, epoch: number): SampleSource<Own> {
    const draw = this.#method.draw?.(epoch, all.count, this.#state) ?? null;
    return drawnSamples(all, draw, this.#method.name);
  }

  dispose(): void {
    tf.dispose([this.#tensors, [...this.#initial.values()]]);
    this.#readings.dispose();
    this.#tensors = {};
  }

  #replace(state: Json): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#useState();
  }

  /** Makes what forward passes and the trainer read of the state. */
  #useState(): void {
    const method = this.#method;
    if (method.tensors !== undefined) {
      const made = tf.tidy(() => method.tensors!(this.#state));
      tf.dispose(this.#tensors);
      this.#tensors = made;
      for (const one of Object.values(made)) tf.keep(one);
    }
    Object.assign(this.#lossWeights, method.lossWeights?.(this.#state));
  }

  #objectives(batch: Batch, context: ObjectiveContext): Record<string, MeasuredObjective> {
    const method = this.#method;
    const balances = context.training || method.needs.evaluation === true;
    if (method.objectives === undefined || !balances) return this.#ownObjectives(batch, context);
    return tidyObjectives(() => {
      const made = method.objectives!(this.#pass(batch, context), this.#state);
      const { objectives, signals = {}, readings } = made;
      if (readings !== undefined && context.training) this.#readings.note(context.step, readings);
      return this.#withSignals(objectives, signals);
    });
  }

  #pass(batch: Batch, mode: ObjectiveContext): ReturnType<typeof onePass> {
    const { inputs, labels } = this.#reader;
    return onePass({
      network: this.#network,
      inputs: inputs(batch),
      labels: labels(batch),
      masks: masksIn(batch, this.#network.modalities),
      mode,
      tensors: this.#tensors,
    });
  }

  #ownObjectives(batch: Batch, context: ObjectiveContext): Record<string, MeasuredObjective> {
    const { objectives } = this.#given;
    if (objectives !== undefined) return { ...objectives(batch, context) };
    return tidyObjectives(() => ({ ...this.#pass(batch, context).objectives() }));
  }

  /** Signals travel as metrics of the joint objective: they are read back with the losses. */
  #withSignals(
    objectives: BalancedObjectives,
    signals: Readonly<Record<string, tf.Tensor>>,
  ): Record<string, MeasuredObjective> {
    const joint = own(objectives, this.#joint);
    if (Object.keys(signals).length === 0) return { ...objectives };
    if (joint === undefined) {
      throw new MultigradError(
        'invalid-objective',
        `\`objectives\` of \`${this.#method.name}\` should return the joint objective \`${this.#joint}\` with its signals. Found ${Object.keys(objectives).join(', ')}.`,
      );
    }
    const named = Object.entries(signals).map(
      ([name, one]) => [this.#metricOf(name), one] as const,
    );
    const metrics = { ...joint.metrics, ...Object.fromEntries(named) };
    return { ...objectives, [this.#joint]: { ...joint, metrics } };
  }

  #metricOf(signal: string): string {
    return `${this.#method.name}/${signal}`;
  }

  async #modulate({ step, losses, metrics, squaredNorms }: MeasuredStep): Promise<StepModulation> {
    const method = this.#method;
    const prefix = this.#metricOf('');
    const signals = Object.fromEntries(
      Object.entries(own(metrics, this.#joint) ?? {}).flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
      ),
    );
    const norms =
      method.needs.gradientNorms === true ? { squaredNorms: await this.#norms(squaredNorms) } : {};
    const readings = await this.#readings.take(step);
    const measured = {
      step,
      losses: losses as Record<string, number>,
      signals,
      readings,
      tensors: this.#tensors,
      ...norms,
    };
    const { parts, state } = method.modulate!(measured, this.#state);
    return {
      variables: modulationsOf(method.name, parts, this.#parts),
      // Within an epoch the tensors stay as they are.
      accept: () => {
        this.#state = state;
        Object.assign(this.#lossWeights, method.lossWeights?.(state));
      },
    };
  }

  async #norms(squaredNorms: MeasuredStep['squaredNorms']): Promise<Record<string, number>> {
    const norms = await squaredNorms(Object.values(this.#gradientLists));
    return record(Object.keys(this.#gradientLists), (_, k) => norms[k]!);
  }

  #start(epoch: number): EpochStart {
    const { data } = this.#given;
    return {
      epoch,
      network: this.#network,
      ...(data === undefined ? {} : { data: trainingData(data, this.#reader, epoch) }),
      ...(this.#initial.size === 0 ? {} : { initialWeights: this.#initial }),
    };
  }

  async #beforeEpoch(epoch: number): Promise<void> {
    const method = this.#method;
    if (method.beforeEpoch === undefined) return;
    this.#replace(await method.beforeEpoch(this.#start(epoch), this.#state));
  }

  async #afterEpoch(epoch: number, logs: Logs): Promise<void> {
    const method = this.#method;
    if (method.afterEpoch === undefined) return;
    const end: EpochEnd = {
      ...this.#start(epoch),
      logs,
      trainingLosses: numberOfEach(this.#numbersIn(logs, ''), 'loss'),
      ...(await this.#validation(logs)),
    };
    this.#replace(await method.afterEpoch(end, this.#state));
  }

  async #validation(
    logs: Logs,
  ): Promise<Pick<EpochEnd, 'validation' | 'validationLosses' | 'validationMetrics'>> {
    switch (this.#method.needs.validation) {
      case true: {
        const validationMetrics = await this.#validated(logs);
        return { validationLosses: numberOfEach(validationMetrics, 'loss'), validationMetrics };
      }
      case 'batches':
        return { validation: labelledBatches(this.#given.validation!, this.#reader) };
      default:
        return {};
    }
  }

  /** Losses and accuracies in the logs of an epoch, by objective. */
  #numbersIn(logs: Logs, prefix: '' | 'val_'): MeansByObjective {
    const entries = this.#network.objectiveNames.map((name) => {
      const numbers = ['loss', 'accuracy'].flatMap((one) => {
        const value = own(logs, `${prefix}${name}_${one}`);
        return value === undefined ? [] : [[one, value] as const];
      });
      return [name, Object.fromEntries(numbers)] as const;
    });
    return Object.fromEntries(entries.filter(([, numbers]) => Object.keys(numbers).length > 0));
  }

  async #validated(logs: Logs): Promise<MeansByObjective> {
    const known = this.#numbersIn(logs, 'val_');
    if (Object.keys(known).length > 0) return known;
    const { validation } = this.#given;
    if (validation === undefined) {
      throw new MultigradError(
        'invalid-data',
        `\`${this.#method.name}\` needs validation losses at the end of each epoch: give \`fit\` the option \`validationData\`, or ` +
          '`balanced` the option `validation`. Found neither.',
      );
    }
    const context = { training: false, step: 0 };
    return measureBatches(validation(), (batch) => this.#objectives(batch, context), batchSize);
  }
}

/** `tf.tidy` for objectives, whose type TensorFlow.js does not take for one of tensors. */
function tidyObjectives(
  body: () => Record<string, MeasuredObjective>,
): Record<string, MeasuredObjective> {
  return tf.tidy(body as unknown as () => tf.TensorContainerObject) as unknown as Record<
    string,
    MeasuredObjective
  >;
}

function descriptionOf({
  modalities,
  objectiveNames,
  classes,
}: BalancedNetwork): NetworkDescription {
  return { modalities, objectives: objectiveNames, classes };
}

function readerOf<Batch>(
  { modalities }: BalancedNetwork,
  {
    inputs = (batch) => batch as ByModality,
    labels = (batch) => (batch as { readonly label: tf.Tensor1D }).label,
  }: BalancedOptions<Batch>,
): BatchReader<Batch> {
  return {
    labels: (batch) => {
      const found: unknown = labels(batch);
      if (found instanceof tf.Tensor && found.rank === 1 && found.dtype === 'int32') {
        return found as tf.Tensor1D;
      }
      const what =
        found instanceof tf.Tensor
          ? `a tensor of shape [${(found as tf.Tensor).shape.join(', ')}] and type ${(found as tf.Tensor).dtype}`
          : describeValue(found);
      throw new MultigradError(
        'invalid-argument',
        `The labels of a batch, \`label\` unless the option \`labels\` of \`balanced\` says otherwise, should be a tensor of n int32. Found ${what}.`,
      );
    },
    inputs: (batch) => {
      const all = inputs(batch);
      return record(modalities, (modality) => entry(all, modality));
    },
  };
}

/** @throws MultigradError `invalid-argument` for what is no method or no network, such as a factory that was not called */
function assertGiven(method: unknown, network: unknown): void {
  const refuse = (expected: string, found: unknown): never => {
    throw new MultigradError(
      'invalid-argument',
      `\`balanced\` should get ${expected}. Found ${describeValue(found)}.`,
    );
  };
  const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (!isObject(method) || (method as Partial<BalancingMethod>).specification !== 1) {
    refuse('a balancing method first, such as `ogmGe()`', method);
  }
  if (!isObject(network) || !('modalities' in network && 'objectiveNames' in network)) {
    refuse('a network of several modalities as its second argument', network);
  }
}

/** @throws MultigradError `unsupported` with the reason why a method cannot serve a network or lacks data */
function assertServed<Batch>(
  method: BalancingMethod,
  network: BalancedNetwork,
  { data, validation }: BalancedOptions<Batch>,
): void {
  const { needs, name } = method;
  const reason =
    (needs.data !== undefined && data === undefined
      ? 'it reads training data outside of steps, and the option `data` is missing'
      : needs.data === 'samples' && !('samples' in data!)
        ? 'it knows training samples by their positions, and the data come as batches'
        : needs.validation === 'batches' && validation === undefined
          ? 'it reads validation data, and the option `validation` is missing'
          : null) ??
    ((network.tokens?.length ?? 0) > 0
      ? 'the network drops modalities in training (`modalityDropout`), which no balancing method knows of'
      : null) ??
    method.unsupported?.(network) ??
    null;
  if (reason === null) return;
  throw new MultigradError('unsupported', `\`${name}\` cannot balance this training: ${reason}.`);
}
