import type { Tensor } from '@tensorflow/tfjs-core';
import { Claim } from '../network/claims.ts';
import type { GradientMemory } from '../rows/gradient-memory.ts';
import type { Collective, Heeded } from '../ranks/collective.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import { assertStrategy } from '../contract/check-strategy.ts';
import { MultigradError } from '../base/errors.ts';
import { batchSize } from '../data/batch-size.ts';
import type { History, Logs, SafePoint, TrainerCallback } from './callbacks.ts';
import { checkEvaluateOptions, checkFitOptions, checkTrainerOptions } from './check-options.ts';
import {
  type DataSource,
  readBatchGroups,
  type ReadOptions,
  readBatches,
} from '../data/data-source.ts';
import { epochLogs, LogNames, withMeasured } from './logs.ts';
import { type Evaluation, evaluateBatches } from './evaluate.ts';
import { EventLoopBreaks } from './event-loop.ts';
import { FitProgress } from './fit-progress.ts';
import type { Measured } from './measurements.ts';
import type { FitState, SnapshotOptions, TrainerSnapshot } from './snapshot.ts';
import type { StepReport } from './step-report.ts';
import { Stepper } from './stepper.ts';
import type { CompilationReport } from '../tape/backward-plans.ts';
import { type StateSnapshot, TrainerSnapshots } from './trainer-snapshots.ts';
import type { EvaluateOptions, FitOptions, TrainerOptions } from './trainer-options.ts';

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
  readonly #stepper: Stepper<Batch, Name>;
  readonly #snapshots: TrainerSnapshots;
  #progress: FitProgress | null = null;
  #asked: Exclude<Stop, 'aborted'> | null = null;
  /** Why the `fit` under way ends before its last epoch, as far as all ranks know. */
  #stop: Heeded<Stop> | null = null;

  /** @throws MultigradError `invalid-option`, `incompatible-strategy` */
  constructor(options: TrainerOptions<Batch, Name>) {
    assertStrategy(options.strategy);
    checkTrainerOptions(options);
    this.#options = options;
    this.#stepper = new Stepper(options);
    this.#snapshots = new TrainerSnapshots(this.#stepper.training, options);
  }

  /**
   * State of gradient integration between two steps: groups and the strategy's states, as plain JSON; undefined before
   * the first step.
   */
  get state(): IntegrationState | undefined {
    return this.#stepper.training.integration;
  }

  /**
   * The memory of the strategy, for strategies with `needs.memory`; undefined before the first step. It
   * stays the trainer's, and changes with the next step.
   */
  get memory(): GradientMemory | undefined {
    return this.#stepper.training.memory;
  }

  /** How the backward passes of the steps so far were made. */
  get compilation(): CompilationReport {
    return this.#stepper.compilation;
  }

  /** The averages of the weights, by name, with the option `average` after the first step; they change with each step. */
  get averages(): ReadonlyMap<string, Tensor> {
    return this.#stepper.training.averages;
  }

  /**
   * Frees the memory of the strategy and the averages of weights; without them there is nothing to free.
   *
   * @throws MultigradError `interleaved-call` during another call, a `fit` with its callbacks included
   */
  dispose(): void {
    this.#refuseDuringFit('dispose');
    this.#now('dispose', () => this.#stepper.training.dispose());
  }

  /**
   * Makes a snapshot of everything that training carries from step to step, weights included. Within a `fit` it is
   * complete at the safe points of callbacks.
   *
   * @throws MultigradError `interleaved-call` during another call, `unsupported` for an optimizer that keeps its memory
   *   to itself and for one of several ranks, `invalid-argument` where a strategy, an optimizer or a callback has a
   *   state that a checkpoint cannot hold, with the path in it
   */
  snapshot(): TrainerSnapshot {
    return this.#now('snapshot', () => this.#withFit(this.#snapshots.take()));
  }

  /**
   * Makes a snapshot among several ranks, all of which have to call it. On rank 0 it is like that of a single process, and
   * any number of ranks can continue from it; the other ranks get weights and statistics alone. The states of callbacks
   * are this rank's. The tensors last until the next step.
   *
   * @param options - `slices: true` gathers nothing: each rank keeps its slices, which `Checkpoints` writes; `everywhere: true`
   *   gathers on every rank
   */
  async gatherSnapshot({
    slices = false,
    everywhere = false,
  }: SnapshotOptions = {}): Promise<TrainerSnapshot> {
    return this.#during('gatherSnapshot', async () => {
      const snapshots = this.#snapshots;
      const gather = async (): Promise<StateSnapshot> =>
        snapshots.gather(everywhere ? 'every rank' : 'rank 0');
      return this.#withFit(await (slices ? snapshots.slices() : gather()));
    });
  }

  #withFit({ state, ...tensors }: StateSnapshot): TrainerSnapshot {
    const fit = this.#progress?.snapshot(
      this.#asked === 'ended' || this.#stop?.current() === 'ended',
    );
    return { state: { ...state, fit: fit ?? null }, ...tensors };
  }

  /**
   * Continues from a snapshot made earlier, here or elsewhere.
   *
   * @param snapshot - its tensors stay the caller's
   * @returns the position in the `fit` during which the snapshot was made, for the option `resume` of the next `fit`;
   *   null where it was made outside of `fit`
   * @throws MultigradError `structure-changed` when it belongs to another strategy, optimizer or network, with all that
   *   differs, `invalid-argument` for a snapshot whose tensors have changed since, `interleaved-call` during another
   *   call; the trainer is then as before
   */
  restore(snapshot: TrainerSnapshot): FitState | null {
    this.#now('restore', () => this.#snapshots.restore(snapshot));
    return snapshot.state.fit;
  }

  /**
   * Finds the groups from several batches, where no single batch shows every objective. Without it, the first step
   * finds them from its own batch. Each call finds the groups anew, and the strategy's states and memory are lost.
   *
   * @param samples - batches that together reach every variable; they stay the caller's
   * @throws MultigradError `interleaved-call` during another call
   */
  build(samples: readonly Batch[]): void {
    this.#now('build', () => this.#stepper.build(samples));
  }

  /**
   * Trains all variables except these from now on, also those that were frozen earlier. Groups are found anew at the
   * next step, and the strategy begins with new states; optimizer slots stay, as does its memory for variables that are
   * trained before and after. Weights of layers whose `trainable` is false stay frozen whatever is named here.
   *
   * @param names - names as in the option `variables`; an empty list freezes no variable
   * @throws MultigradError `invalid-argument` for a name that is not known, `interleaved-call` during another call
   */
  freeze(names: readonly string[]): void {
    this.#now('freeze', () => this.#stepper.training.freeze(names));
  }

  /**
   * Asks `fit` to end after the step in progress; a `fit` that resumes from there continues. A callback that decides
   * that training is over calls `stop` of the safe point instead.
   */
  stop(): void {
    this.#asked ??= 'requested';
  }

  /**
   * One training step. The batches stay the caller's.
   *
   * @param further - batches beyond the first, for strategies whose needs name `batches` and with `accumulate`
   * @throws MultigradError `interleaved-call` when a step has not ended yet, and whatever `integrateGradients` throws;
   *   variables, optimizer and state are then as before the step
   */
  async trainOnBatch(batch: Batch, ...further: readonly Batch[]): Promise<StepReport<Name>> {
    this.#refuseDuringFit('trainOnBatch');
    return this.#during('trainOnBatch', async () => {
      const { report } = await this.#stepper.make([batch, ...further]);
      return report;
    });
  }

  /**
   * Measures losses and metrics over a data set, without training. Among several ranks all call it with the same data,
   * and each evaluates its part of the batches.
   *
   * @throws MultigradError `interleaved-call` during another call; a callback of `fit` may call it
   */
  async evaluate(
    data: DataSource<Batch>,
    options: EvaluateOptions = {},
  ): Promise<Evaluation<Name>> {
    checkEvaluateOptions(options);
    return this.#during('evaluate', () => this.#evaluate(data, options, options.weights));
  }

  /**
   * Trains for a number of epochs.
   *
   * @returns the history; also when the signal was aborted or a callback stopped it
   * @throws MultigradError `invalid-data` when an epoch yields no batch, and whatever a step or a callback throws
   */
  async fit(data: DataSource<Batch>, options: FitOptions<Batch, Name>): Promise<History> {
    checkFitOptions(options);
    this.#refuseDuringFit('fit');
    return this.#during('fit', (claim) => this.#fit(data, options, claim));
  }

  async #fit(
    data: DataSource<Batch>,
    options: FitOptions<Batch, Name>,
    claim: Claim,
  ): Promise<History> {
    const { epochs, initialEpoch = 0, callbacks = [], signal, resume = null } = options;
    const { lossWeights = {} } = this.#options;
    const { collective } = this.#stepper.training.sharding;
    const progress =
      resume === null
        ? new FitProgress(callbacks, initialEpoch)
        : FitProgress.resume(resume, callbacks, collective.size > 1);
    this.#progress = progress;
    // A snapshot made after training had ended allows no more steps, on any rank.
    this.#asked = resume?.over === true ? 'ended' : null;
    const tell: Tell<Name> = async (about) => {
      if (callbacks.length === 0) return;
      await claim.lend(async () => {
        for (const callback of callbacks) await about(callback);
      });
    };
    const stop = collective.heed<Stop>(
      'stop',
      () => (signal?.aborted === true && this.#asked !== 'ended' ? 'aborted' : this.#asked),
      ['ended', 'aborted', 'requested'],
    );
    this.#stop = stop;

    try {
      const start = {
        step: this.#stepper.training.step,
        epoch: progress.epoch,
        batch: progress.batch,
        epochs,
        variables: this.#stepper.training.touched,
        stop: () => {
          this.#asked = 'ended';
        },
      };
      await tell((callback) => callback.onTrainBegin?.(start));
      await stop.tell();
      while (progress.epoch < epochs && stop.current() === null) {
        const { epoch } = progress;
        if (progress.batch === 0) {
          await tell((callback) => callback.onEpochBegin?.(epoch));
        }
        const training = await this.#trainEpoch(data, progress, options, tell, stop);
        // An epoch cut short is not recorded: its means could not be compared with those of whole epochs.
        if (training === null) break;
        const validation =
          options.validationData === undefined
            ? null
            : await this.#evaluate(
                options.validationData,
                options,
                options.validationWeights,
                () => stop.current() === 'aborted',
              );
        if (validation !== null && stop.current() === 'aborted') break;
        let logs: Logs = {
          ...epochLogs(training, lossWeights),
          ...(validation === null ? {} : epochLogs(validation, lossWeights, 'val_')),
          ...(this.#stepper.skips ? { skipped: progress.skipped } : {}),
        };
        this.#stepper.endEpoch(training.losses);
        await tell(async (callback) => {
          if (callback.onMeasure !== undefined)
            logs = withMeasured(logs, await callback.onMeasure(epoch));
        });
        progress.history.record(epoch, logs);
        await tell((callback) => callback.onEpochEnd?.(epoch, logs));
        progress.begin(epoch + 1);
        await this.#safePoint(epoch, logs, tell, stop);
      }
      const why = stop.current() ?? undefined;
      const history = progress.history.history(why === 'ended' ? 'requested' : why);
      await tell((callback) => callback.onTrainEnd?.(history));
      return history;
    } finally {
      this.#progress = null;
      for (const callback of callbacks) callback.release?.();
    }
  }

  /** @returns what the epoch measured; null where it was stopped */
  async #trainEpoch(
    data: DataSource<Batch>,
    progress: FitProgress,
    options: FitOptions<Batch, Name>,
    tell: Tell<Name>,
    stop: Heeded<Stop>,
  ): Promise<Measured<Name> | null> {
    const { epoch } = progress;
    const breaks = new EventLoopBreaks(options.yieldEvery ?? 30);
    const together = this.#stepper.batches;
    const names = new LogNames(options.validationData !== undefined);
    for await (const group of readBatchGroups(data, epoch, options, together, progress.batch)) {
      await breaks.take();
      if (stop.current() !== null) return null;
      await tell((callback) => callback.onBatchBegin?.(progress.batch));
      const { report, samples } = await this.#stepper.make(group);
      if (report.skipped === undefined) {
        names.see(report);
        progress.measurements.add(report, samples);
      } else progress.skipped += 1;
      await tell((callback) => callback.onBatchEnd?.(progress.batch, report));
      progress.batch += 1;
      await this.#safePoint(epoch, null, tell, stop);
    }
    if (progress.batch === 0) throw noBatch(together, epoch, epoch > (options.initialEpoch ?? 0));
    return stop.current() !== null ? null : progress.measurements.means<Name>();
  }

  /** Lets callbacks make checkpoints. Where one of them ended training, lets them make another, which holds that end. */
  async #safePoint(
    epoch: number,
    logs: Logs | null,
    tell: Tell<Name>,
    stop: Heeded<Stop>,
  ): Promise<void> {
    const { training } = this.#stepper;
    const pointWith = (own: Logs | null): SafePoint => ({
      step: training.step,
      epoch,
      logs: own,
      stop: () => {
        this.#asked = 'ended';
      },
      ranks: training.sharding.collective.size,
      snapshot: (wanted) =>
        training.sharding.whole ? this.snapshot() : this.gatherSnapshot(wanted),
    });
    const before = stop.current();
    await tell((callback) => callback.onSafePoint?.(pointWith(logs)));
    await stop.tell();
    if (stop.current() === 'ended' && before !== 'ended')
      await tell((callback) => callback.onSafePoint?.(pointWith(null)));
  }

  async #evaluate(
    data: DataSource<Batch>,
    options: ReadOptions,
    weights: 'current' | 'average' = 'current',
    stopped?: () => boolean,
  ): Promise<Evaluation<Name>> {
    const { step, sharding } = this.#stepper.training;
    const evaluate = async (): Promise<Evaluation<Name>> =>
      evaluateBatches(
        (batch: Batch) => this.#options.objectives(batch, { training: false, step }),
        everyNth(readBatches(data, 0, { ...options, shuffle: false }), sharding.collective),
        batchSize,
        sharding.collective,
        stopped,
      );
    return weights === 'average' ? this.#stepper.training.withAverages(evaluate) : evaluate();
  }

  /** Holds all variables for a call. */
  async #during<T>(call: string, work: (claim: Claim) => Promise<T>): Promise<T> {
    return Claim.during(call, this.#stepper.training.touched, work);
  }

  #now<T>(call: string, work: () => T): T {
    return Claim.now(call, this.#stepper.training.touched, work);
  }

  /** Refuses a call that callbacks of `fit` must not make either. */
  #refuseDuringFit(call: string): void {
    if (this.#progress === null) return;
    throw new MultigradError(
      'interleaved-call',
      `\`${call}\` began while \`fit\` of the same trainer had not ended. Await \`fit\` before.`,
    );
  }
}

/** Why a `fit` ends before its last epoch: a signal, a call of `stop`, or a callback that ended training for good. */
type Stop = 'aborted' | 'requested' | 'ended';

/** Calls each callback, while other calls may use the variables. */
type Tell<Name extends string> = (
  about: (callback: TrainerCallback<Name>) => void | Promise<void>,
) => Promise<void>;

/** The batches that this rank evaluates: every n-th one for n ranks. */
async function* everyNth<Batch>(
  batches: AsyncIterable<Batch>,
  { rank, size }: Collective,
): AsyncGenerator<Batch, void> {
  let number = 0;
  for await (const batch of batches) {
    if (number % size === rank) yield batch;
    number += 1;
  }
}

function noBatch(together: number, epoch: number, later: boolean): MultigradError {
  const [expected, found] =
    together === 1 ? ['one batch', 'none'] : [`${together} batches`, 'fewer'];
  return new MultigradError(
    'invalid-data',
    `Training data should yield at least ${expected} per epoch. Found ${found} in epoch ${epoch}` +
      (later
        ? '; an iterator can be read only once: pass an array or a function of the epoch.'
        : '.'),
  );
}
