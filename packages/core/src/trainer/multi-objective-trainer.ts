import { dispose, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { GradientMemory } from '../engine/gradient-memory.ts';
import { buildIntegration, groupingOf, integrateGradients } from '../engine/integrate-gradients.ts';
import { type IntegrationState, stateDifferences } from '../engine/integration-state.ts';
import { afterStep, endEpoch } from '../engine/strategy-hooks.ts';
import { assertStrategy } from '../strategy/check-strategy.ts';
import { MultigradError } from '../strategy/errors.ts';
import { batchSize } from './batch-size.ts';
import type { History, Logs, SafePoint } from './callbacks.ts';
import { type DataSource, readBatchGroups, type ReadOptions, readBatches } from './data-source.ts';
import { type Evaluation, evaluateBatches } from './evaluate.ts';
import { EventLoopBreaks } from './event-loop.ts';
import { FitProgress } from './fit-progress.ts';
import type { Measured } from './measurements.ts';
import { variablesByName } from './named-variables.ts';
import { type FitState, renameVariables, tensorsBelow, type TrainerSnapshot } from './snapshot.ts';
import type { StepReport } from './step-report.ts';
import type { FitOptions, TrainerOptions } from './trainer-options.ts';
import { tensorDifferences } from './tensor-differences.ts';
import { Update } from './update.ts';

/**
 * Trains a network with several objectives by any gradient strategy, in the manner of `tf.LayersModel.fit`.
 *
 * Each step runs one forward pass, integrates the objectives' gradients group by group, and hands the result to the
 * optimizer. Objective names are inferred from `objectives` and checked wherever they are used.
 *
 * @example
 * ```ts
 * import { MultiObjectiveTrainer } from '@multigrad/core';
 * import { mmpareto } from '@multigrad/strategy-mmpareto';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 *
 * const shared = tf.variable(tf.tensor2d([[0.5], [-0.5]]));
 * const trainer = new MultiObjectiveTrainer({
 *   objectives: ({ x, y, z }: { x: tf.Tensor2D; y: tf.Tensor2D; z: tf.Tensor2D }) => {
 *     const prediction = tf.matMul(x, shared);
 *     return {
 *       y: tf.losses.meanSquaredError(y, prediction),
 *       z: tf.losses.meanSquaredError(z, prediction),
 *     };
 *   },
 *   variables: [shared],
 *   strategy: mmpareto(),
 *   optimizer: tf.train.momentum(0.05, 0.9),
 * });
 * const data = {
 *   x: tf.tensor2d([[1, 0], [0, 1], [1, 1], [2, 1]]),
 *   y: tf.tensor2d([[1], [2], [3], [4]]),
 *   z: tf.tensor2d([[2], [1], [3], [5]]),
 * };
 * const { history } = await trainer.fit(data, { epochs: 3, batchSize: 2, shuffle: 1 });
 * console.log(history.y_loss?.length); // 3
 * ```
 */
export class MultiObjectiveTrainer<Batch, Name extends string> {
  readonly #options: TrainerOptions<Batch, Name>;
  readonly #named: ReadonlyMap<string, Variable>;
  readonly #variables: readonly Variable[];
  readonly #statistics: ReadonlyMap<string, Variable>;
  readonly #update: Update;
  #state: IntegrationState | undefined;
  #memory: GradientMemory | undefined;
  #progress: FitProgress | null = null;
  #busy = false;
  #inStep = false;
  #stopRequested = false;

  /** @throws MultigradError `invalid-option`, `incompatible-strategy` */
  constructor(options: TrainerOptions<Batch, Name>) {
    assertStrategy(options.strategy);
    checkOptions(options);
    this.#options = options;
    this.#named = variablesByName(options.variables);
    this.#variables = [...this.#named.values()];
    this.#statistics = variablesByName(options.statistics ?? []);
    this.#update = new Update(options, this.#named);
  }

  /**
   * What gradient integration carries from step to step: groups and the strategy's memory, as plain JSON; undefined
   * before the first step.
   */
  get state(): IntegrationState | undefined {
    return this.#state;
  }

  /**
   * The vectors that the strategy remembers, for strategies with `needs.memory`; undefined before the first step. It
   * stays the trainer's, and changes with the next step.
   */
  get memory(): GradientMemory | undefined {
    return this.#memory;
  }

  /** Frees the vectors that the strategy remembers, of strategies with `needs.memory`; for others there is nothing to free. */
  dispose(): void {
    this.#memory?.dispose();
    this.#memory = undefined;
  }

  /**
   * Everything that training carries on, weights included. Within a `fit` it is complete at its safe points.
   *
   * @throws MultigradError `interleaved-call` during a step, `unsupported` for an optimizer that keeps its memory to
   *   itself
   */
  snapshot(): TrainerSnapshot {
    if (this.#inStep) {
      throw new MultigradError(
        'interleaved-call',
        'A snapshot was asked for during a step. Take it between steps, as at a safe point.',
      );
    }
    const { kind, values, tensors: slots } = this.#update.snapshot();
    const memory = this.#memory?.tensors() ?? [];
    const stable = new Map(Array.from(this.#named, ([name, variable]) => [variable.name, name]));
    const tensors = new Map<string, Tensor>();
    for (const [name, variable] of this.#named) tensors.set(`weights/${name}`, variable);
    for (const [name, variable] of this.#statistics) tensors.set(`statistics/${name}`, variable);
    for (const [name, tensor] of slots) tensors.set(`optimizer/${name}`, tensor);
    memory.forEach(({ value }, index) => tensors.set(`memory/${index}`, value));
    return {
      state: {
        format: 1,
        integration: this.#state === undefined ? null : renameVariables(this.#state, stable),
        memory: memory.map(({ variable, objective }) => ({
          variable: stable.get(variable)!,
          objective,
        })),
        optimizer: { kind, values },
        fit: this.#progress?.snapshot() ?? null,
      },
      tensors,
    };
  }

  /**
   * Continues from a snapshot made earlier, here or elsewhere.
   *
   * @param snapshot - its tensors stay the caller's
   * @returns where the `fit` stood during which it was made, for the option `resume` of the next one; else null
   * @throws MultigradError `structure-changed` when it belongs to another strategy, optimizer or network, with all that
   *   differs; nothing has changed then
   */
  restore({ state, tensors }: TrainerSnapshot): FitState | null {
    const { strategy } = this.#options;
    const slots = {
      kind: state.optimizer.kind,
      values: state.optimizer.values,
      tensors: tensorsBelow('optimizer', tensors),
    };
    const own = new Map(Array.from(this.#named, ([name, variable]) => [name, variable.name]));
    const integration =
      state.integration === null ? undefined : renameVariables(state.integration, own);
    const remembered = state.memory.map(({ variable, objective }, index) => ({
      variable: own.get(variable) ?? variable,
      objective,
      value: tensors.get(`memory/${index}`),
    }));
    const differences = [
      ...((state.format as number) === 1 ? [] : [`format ${state.format}, expected 1`]),
      ...(integration === undefined
        ? []
        : stateDifferences(integration, strategy, groupingOf(this.#options), this.#variables)),
      ...tensorDifferences('weight', tensorsBelow('weights', tensors), this.#named),
      ...tensorDifferences('statistic', tensorsBelow('statistics', tensors), this.#statistics),
      ...remembered
        .filter(({ value }) => value === undefined)
        .map(({ variable, objective }) => `no memory of \`${objective}\` for \`${variable}\``),
      ...this.#update.differences(slots),
    ];
    if (differences.length > 0) {
      throw new MultigradError(
        'structure-changed',
        `The snapshot does not belong to this trainer:\n${differences.map((one) => `  ${one}`).join('\n')}`,
      );
    }
    for (const [name, variable] of this.#named) variable.assign(tensors.get(`weights/${name}`)!);
    for (const [name, variable] of this.#statistics) {
      variable.assign(tensors.get(`statistics/${name}`)!);
    }
    this.#update.restore(slots);
    this.#state = integration;
    this.#remember(
      strategy.needs.memory === true
        ? new GradientMemory(remembered.map((one) => ({ ...one, value: one.value!.clone() })))
        : undefined,
    );
    return state.fit;
  }

  /**
   * Finds the groups from several batches, where no single batch shows every objective. Without it, the first step
   * builds from its own batch. Called again, it rebuilds: groups are found anew and the strategy's memory is lost.
   *
   * @param samples - batches that together reach every variable; they stay the caller's
   */
  build(samples: readonly Batch[]): void {
    const { objectives, strategy } = this.#options;
    const step = this.#state?.step ?? 0;
    const forwards = samples.map((batch) => () => objectives(batch, { training: true, step }));
    this.#state = { ...buildIntegration(forwards, this.#variables, strategy, this.#options), step };
    this.#remember(strategy.needs.memory === true ? new GradientMemory() : undefined);
  }

  /** Asks `fit` to end after the step in progress; for callbacks. */
  stop(): void {
    this.#stopRequested = true;
  }

  /**
   * One training step. The batches stay the caller's.
   *
   * @param further - independent batches beyond the first, for strategies whose needs name `batches`
   * @throws MultigradError `interleaved-call` when a step has not ended yet, and whatever `integrateGradients` throws;
   *   variables, optimizer and state are then as before the step
   */
  async trainOnBatch(batch: Batch, ...further: readonly Batch[]): Promise<StepReport<Name>> {
    return this.#exclusively(() => this.#step([batch, ...further]));
  }

  /** Losses and metrics over a data set, without training. */
  async evaluate(data: DataSource<Batch>, options: ReadOptions = {}): Promise<Evaluation<Name>> {
    return this.#evaluate(data, options);
  }

  /**
   * Trains for a number of epochs.
   *
   * @returns the history; also when the signal was aborted or a callback stopped it
   * @throws MultigradError `invalid-data` when an epoch yields no batch, and whatever a step or a callback throws
   */
  async fit(data: DataSource<Batch>, options: FitOptions<Batch, Name>): Promise<History> {
    checkEpochs(options);
    return this.#exclusively(() => this.#fit(data, options));
  }

  async #fit(data: DataSource<Batch>, options: FitOptions<Batch, Name>): Promise<History> {
    const { epochs, initialEpoch = 0, callbacks = [], signal, resume = null } = options;
    const progress =
      resume === null
        ? new FitProgress(callbacks, initialEpoch)
        : FitProgress.resume(resume, callbacks);
    this.#progress = progress;
    this.#stopRequested = false;
    const stopped = (): 'aborted' | 'requested' | undefined =>
      signal?.aborted === true ? 'aborted' : this.#stopRequested ? 'requested' : undefined;

    try {
      for (const callback of callbacks) await callback.onTrainBegin?.();
      while (progress.epoch < epochs && stopped() === undefined) {
        const { epoch } = progress;
        if (progress.batch === 0) {
          for (const callback of callbacks) await callback.onEpochBegin?.(epoch);
        }
        const training = await this.#trainEpoch(
          data,
          progress,
          options,
          () => stopped() !== undefined,
        );
        // An epoch cut short is not recorded: its means would not compare with the others'.
        if (training === null) break;
        const validation =
          options.validationData === undefined
            ? null
            : await this.#evaluate(options.validationData, options, signal);
        if (signal?.aborted === true && validation !== null) break;
        const logs = {
          ...this.#logs(training, ''),
          ...(validation === null ? {} : this.#logs(validation, 'val_')),
        };
        this.#endEpoch(training);
        progress.history.record(epoch, logs);
        for (const callback of callbacks) await callback.onEpochEnd?.(epoch, logs);
        progress.begin(epoch + 1);
        await this.#safePoint(options, epoch, logs);
      }
      const history = progress.history.history(stopped());
      for (const callback of callbacks) await callback.onTrainEnd?.(history);
      return history;
    } finally {
      this.#progress = null;
    }
  }

  /** @returns what the epoch measured; null where it was stopped */
  async #trainEpoch(
    data: DataSource<Batch>,
    progress: FitProgress,
    options: FitOptions<Batch, Name>,
    stopped: () => boolean,
  ): Promise<Measured<Name> | null> {
    const { callbacks = [] } = options;
    const { epoch } = progress;
    const breaks = new EventLoopBreaks(options.yieldEvery ?? 30);
    const together = this.#options.strategy.needs.batches ?? 1;
    for await (const group of readBatchGroups(data, epoch, options, together, progress.batch)) {
      await breaks.take();
      if (stopped()) return null;
      for (const callback of callbacks) await callback.onBatchBegin?.(progress.batch);
      const size = group.reduce((sum, batch) => sum + batchSize(batch), 0);
      const report = await this.#step(group);
      progress.measurements.add(report, size);
      for (const callback of callbacks) await callback.onBatchEnd?.(progress.batch, report);
      progress.batch += 1;
      await this.#safePoint(options, epoch, null);
    }
    if (progress.batch === 0) {
      throw new MultigradError(
        'invalid-data',
        `Training data should yield at least ${together === 1 ? 'one batch' : `${together} batches`} per epoch. ` +
          `Found ${together === 1 ? 'none' : 'fewer'} in epoch ${epoch}` +
          (epoch > (options.initialEpoch ?? 0)
            ? '; an iterator can be read only once: pass an array or a function of the epoch.'
            : '.'),
      );
    }
    return stopped() ? null : progress.measurements.means<Name>();
  }

  async #safePoint(
    { callbacks = [] }: FitOptions<Batch, Name>,
    epoch: number,
    logs: Logs | null,
  ): Promise<void> {
    const point: SafePoint = {
      step: this.#state?.step ?? 0,
      epoch,
      logs,
      snapshot: () => this.snapshot(),
    };
    for (const callback of callbacks) await callback.onSafePoint?.(point);
  }

  #endEpoch({ losses }: Measured): void {
    if (this.#state === undefined) return;
    this.#state = endEpoch(this.#options.strategy, this.#state, losses);
  }

  /** Takes over what is remembered from now on, and frees what was. */
  #remember(memory: GradientMemory | undefined): void {
    if (memory !== this.#memory) this.#memory?.dispose();
    this.#memory = memory;
  }

  async #step(batches: readonly Batch[]): Promise<StepReport<Name>> {
    this.#inStep = true;
    try {
      return await this.#wholeStep(batches);
    } finally {
      this.#inStep = false;
    }
  }

  async #wholeStep(batches: readonly Batch[]): Promise<StepReport<Name>> {
    const { objectives, strategy, observe } = this.#options;
    for (const batch of batches) batchSize(batch);
    const step = this.#state?.step ?? 0;
    const forwardOf = (batch: Batch) => (): ReturnType<typeof objectives> =>
      objectives(batch, { training: true, step });
    const result = await integrateGradients(batches.map(forwardOf), this.#variables, strategy, {
      ...this.#options,
      state: this.#state,
      memory: this.#memory,
      observe: observe !== undefined && step % observe.every === 0,
    });
    try {
      await this.#update.apply(result.gradients);
    } catch (error) {
      result.memory?.dispose();
      throw error;
    } finally {
      dispose(result.gradients);
    }
    this.#state = result.state;
    if (strategy.needs.memory === true) this.#remember(result.memory);
    if (strategy.needs.losses === 'now-and-after-step') {
      const { losses } = await evaluateBatches(
        (batch: Batch) => objectives(batch, { training: true, step }),
        oneBatch(batches[0]!),
      );
      this.#state = afterStep(strategy, result.state, losses);
    }
    const { losses, metrics, groups, sweeps, observed } = result;
    return { step, losses, metrics, groups, sweeps, observed };
  }

  async #evaluate(
    data: DataSource<Batch>,
    options: ReadOptions,
    signal?: AbortSignal,
  ): Promise<Evaluation<Name>> {
    const step = this.#state?.step ?? 0;
    return evaluateBatches(
      (batch: Batch) => this.#options.objectives(batch, { training: false, step }),
      readBatches(data, 0, { ...options, shuffle: false }),
      signal,
    );
  }

  #logs({ losses, metrics }: Measured, prefix: string): Logs {
    const logs: Record<string, number> = {};
    const weights: Readonly<Partial<Record<string, number>>> = this.#options.lossWeights ?? {};
    let total = 0;
    for (const [name, loss] of Object.entries(losses)) total += (weights[name] ?? 1) * loss!;
    logs[`${prefix}loss`] = total;
    for (const [name, loss] of Object.entries(losses)) logs[`${prefix}${name}_loss`] = loss!;
    for (const [name, own] of Object.entries(metrics)) {
      for (const [metric, value] of Object.entries(own!))
        logs[`${prefix}${name}_${metric}`] = value;
    }
    return logs;
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      throw new MultigradError(
        'interleaved-call',
        'A training call began while an earlier one had not ended. Await fit and trainOnBatch before the next call.',
      );
    }
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}

async function* oneBatch<Batch>(batch: Batch): AsyncGenerator<Batch, void> {
  yield await Promise.resolve(batch);
}

function checkOptions<Batch, Name extends string>(options: TrainerOptions<Batch, Name>): void {
  const { weightDecay = 0, observe } = options;
  if (!Number.isFinite(weightDecay) || weightDecay < 0) {
    throw new MultigradError(
      'invalid-option',
      `Option \`weightDecay\` should be a finite number >= 0. Found ${weightDecay}.`,
    );
  }
  if (observe !== undefined && !(Number.isInteger(observe.every) && observe.every >= 1)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`observe.every\` should be an integer >= 1. Found ${observe.every}.`,
    );
  }
}

function checkEpochs(options: { readonly epochs: number; readonly initialEpoch?: number }): void {
  const { epochs, initialEpoch = 0 } = options;
  if (!Number.isInteger(epochs) || epochs < 1) {
    throw new MultigradError(
      'invalid-option',
      `Option \`epochs\` should be an integer >= 1. Found ${epochs}.`,
    );
  }
  if (!Number.isInteger(initialEpoch) || initialEpoch < 0) {
    throw new MultigradError(
      'invalid-option',
      `Option \`initialEpoch\` should be an integer >= 0. Found ${initialEpoch}.`,
    );
  }
}
