import type { Variable } from '@tensorflow/tfjs-core';
import { accumulateGradients } from '../step/accumulate.ts';
import type { Forward, IntegratedStep, IntegrateOptions } from '../step/integrate-options.ts';
import { buildGroups } from '../step/begin.ts';
import { isEmptyPart } from '../ranks/batch-part.ts';
import { withShare } from '../ranks/current-share.ts';
import { takeStep } from '../step/take-step.ts';
import { isNonFiniteGradient } from '../rows/finite-checks.ts';
import { BackwardPlans, type CompilationReport } from '../tape/backward-plans.ts';
import type { RunVariable } from '../network/run-variables.ts';
import { endStep, endEpoch } from '../step/strategy-hooks.ts';
import { MultigradError } from '../base/errors.ts';
import { batchSize } from '../data/batch-size.ts';
import { evaluateBatches } from './evaluate.ts';
import type { Measured } from './measurements.ts';
import type { StepReport } from './step-report.ts';
import type { TrainerOptions } from './trainer-options.ts';
import { TrainingState } from './training-state.ts';
import type { TakenStep } from '../step/taken-step.ts';
import { type Modulation, squaredNormsOf } from '../update/modulation.ts';

/** Makes training steps. */
export class Stepper<Batch, Name extends string> {
  readonly training: TrainingState;
  readonly #options: TrainerOptions<Batch, Name>;
  readonly #plans: BackwardPlans;

  /** @throws MultigradError `invalid-option` */
  constructor(options: TrainerOptions<Batch, Name>) {
    this.#options = options;
    this.training = new TrainingState(options);
    this.#plans = new BackwardPlans(options.compile === false ? '`compile` is false' : null);
  }

  /** Batches that one step takes. */
  get batches(): number {
    const { strategy, accumulate = 1 } = this.#options;
    return (strategy.needs.batches ?? 1) * accumulate;
  }

  /** How backward passes were made so far. */
  get compilation(): CompilationReport {
    return this.#plans.report;
  }

  /** Whether steps may be skipped. */
  get skips(): boolean {
    const { onNonFinite, lossScale } = this.#options;
    return onNonFinite === 'skip' || typeof lossScale === 'object';
  }

  /** Builds the groups from forward passes over the first batches. */
  build(samples: readonly Batch[]): void {
    const { strategy } = this.#options;
    const { step, trained } = this.training;
    const forwards = samples.map((batch) => this.#forward({ batch, firstSample: 0 }, step));
    this.training.begin(buildGroups(strategy, forwards, trained, this.#options));
  }

  /** Tells the strategy the mean losses of a finished epoch. */
  endEpoch(losses: Readonly<Partial<Record<string, number>>>): void {
    const { integration } = this.training;
    if (integration === undefined) return;
    this.training.replaceStates(endEpoch(this.#options.strategy, integration, losses));
  }

  /**
   * Makes one training step; when it throws, all is as before.
   *
   * @returns its report, and the number of samples on all ranks
   */
  async make(batches: readonly Batch[]): Promise<MadeStep<Name>> {
    const { sharding } = this.training;
    // A snapshot is valid until here: no rank keeps whole slots while it trains.
    sharding.free();
    this.training.followLayers();
    // Also checked for a single batch: the message names tensors whose sizes do not fit.
    const sizes = batches.map((batch) => {
      const size = batchSize(batch);
      return isEmptyPart(batch) ? 0 : size;
    });
    await sharding.begin();
    const place = await sharding.place(batches, sizes);
    const samples = place.total.reduce((sum, size) => sum + size, 0);
    const own = batches.map((batch, index) => ({
      batch,
      size: sizes[index]!,
      firstSample: place.first[index]!,
      totalSamples: place.total[index]!,
    }));
    return { report: await this.#attempt(own), samples };
  }

  async #attempt(batches: readonly OwnBatch<Batch>[]): Promise<StepReport<Name>> {
    const { training } = this;
    const { step, lossScale, update } = training;
    const scale = lossScale === null ? {} : { lossScale: lossScale.scale };
    const late = this.#seesAfterStep || update.mayFail;
    try {
      const report = await training.undoing(late, () => this.#make(batches, step));
      lossScale?.succeed();
      return { ...report, ...scale };
    } catch (error) {
      if (!isNonFinite(error)) throw error;
      const skipped = await this.#reasonToSkip(error, !this.#seesAfterStep || update.undoable);
      const nothing = { losses: {}, metrics: {} } as Measured<Name>;
      return {
        step,
        ...nothing,
        groups: [],
        backwardPasses: 0,
        observed: false,
        skipped,
        ...scale,
      };
    }
  }

  /** Whether the strategy needs the losses after the update, which may not be finite then. */
  get #seesAfterStep(): boolean {
    return this.#options.strategy.needs.losses === 'now-and-after-step';
  }

  /**
   * Decides whether a step that failed is skipped, and counts it.
   *
   * @param undone - whether weights and states are as before the step
   * @returns the reason for skipping it
   * @throws MultigradError `non-finite` where it may not be skipped
   */
  async #reasonToSkip(error: MultigradError, undone: boolean): Promise<string> {
    const { training } = this;
    const { lossScale } = training;
    const { onNonFinite, maxSkips = 10 } = this.#options;
    const lasting = await this.#lastingNonFinite();
    if (lasting.length > 0) {
      const more = lasting.length > 5 ? ` and ${lasting.length - 5} more` : '';
      throw new MultigradError(
        'non-finite',
        `${error.message} Found NaN or infinity in ${lasting.slice(0, 5).join(', ')}${more} from before this step, so that no later one can be sound: ` +
          'go on from an earlier checkpoint.',
        { cause: error },
      );
    }
    const scale = lossScale?.scale;
    if (isNonFiniteGradient(error) && lossScale?.overflow() === true) {
      training.skip(false);
      return `${error.message} The losses were multiplied by ${scale}, and will be by ${lossScale.scale}.`;
    }
    if (onNonFinite !== 'skip' || !undone) throw error;
    if (training.skips >= maxSkips) {
      throw new MultigradError(
        'non-finite',
        `${error.message} ${maxSkips} ${maxSkips === 1 ? 'step' : 'steps in a row'} before this one were skipped, as many as the option \`maxSkips\` allows.`,
        { cause: error },
      );
    }
    training.skip(true);
    return error.message;
  }

  /** Names of weights, slots and statistics that hold NaN or an infinity already before this step, on any rank. */
  async #lastingNonFinite(): Promise<readonly string[]> {
    const { collective } = this.training.sharding;
    const all = await collective.fromEach('parts that are not finite', async () => [
      ...(await this.training.nonFinite()),
    ]);
    return [...new Set(all.flat())];
  }

  async #make(batches: readonly OwnBatch<Batch>[], step: number): Promise<StepReport<Name>> {
    const { strategy, accumulate = 1 } = this.#options;
    const { sharding } = this.training;
    const result = await this.#integrate(batches, step);
    try {
      await sharding.shareStatistics();
      let { state } = result;
      if (this.#seesAfterStep) {
        const { losses } = await evaluateBatches(
          (own: OwnBatch<Batch>) => this.#forward(own, step)(),
          each(batches.slice(0, accumulate)),
          ({ size }) => size,
          sharding.collective,
        );
        state = endStep(strategy, state, losses);
      }
      this.training.advance(state, result.memory);
      result.accept?.();
    } catch (error) {
      result.memory?.dispose();
      throw error;
    }
    const { losses, metrics, groups, backwardPasses, observed } = result;
    return { step, losses, metrics, groups, backwardPasses, observed };
  }

  /** Integrates the gradients and updates the weights. */
  async #integrate(batches: readonly OwnBatch<Batch>[], step: number): Promise<AppliedStep<Name>> {
    const { observe, accumulate = 1, synchronise } = this.#options;
    const { integration, memory, trained, lossScale, sharding } = this.training;
    const sizes = batches.map(({ size }) => size);
    const forwards = batches.map((own) => this.#forward(own, step));
    const options = {
      ...this.#options,
      state: integration,
      firstStep: step,
      memory,
      lossScale: lossScale?.scale ?? 1,
      observe: observe !== undefined && step % observe.every === 0,
      samples: sizes,
      sumsWithin: synchronise,
    };
    if (accumulate === 1) return this.#apply(forwards, trained, options, step);
    if (batches.length !== this.batches) {
      throw new MultigradError(
        'invalid-argument',
        `A step should get ${this.batches} batches, ${accumulate} to accumulate for each that the strategy takes. Found ${batches.length}.`,
      );
    }
    const accumulated: Awaited<ReturnType<typeof accumulateGradients>>[] = [];
    const accumulateAll = async (): Promise<null> => {
      for (let first = 0; first < batches.length; first += accumulate) {
        const parts = forwards.slice(first, first + accumulate).map((forward, part) => ({
          forward,
          samples: sizes[first + part]!,
        }));
        accumulated.push(
          await accumulateGradients(parts, trained, step, options.lossScale, this.#plans),
        );
      }
      return null;
    };
    try {
      await sharding.collective.fromEach('parts of a batch', accumulateAll);
      const whole = accumulated.map(({ forward }) => forward as Forward<Name>);
      return await this.#apply(whole, trained, options, step);
    } finally {
      for (const one of accumulated) one.dispose();
    }
  }

  async #apply(
    forwards: readonly Forward<Name>[],
    trained: readonly RunVariable[],
    options: IntegrateOptions<Name>,
    step: number,
  ): Promise<AppliedStep<Name>> {
    const { strategy } = this.#options;
    const { update, sharding } = this.training;
    const taken = await takeStep(strategy, forwards, trained, options, this.#plans);
    try {
      const { combinations, state } = taken;
      const modulation = await this.#modulation(taken, step);
      await sharding.apply(update, combinations, state.groups, step, modulation?.byName);
      return { ...taken.result(), accept: modulation?.accept };
    } finally {
      taken.dispose();
    }
  }

  /** What the option `modulate` does to the variables of this step, by name; null without it. */
  async #modulation(
    { combinations, report: { losses, metrics } }: TakenStep<Name>,
    step: number,
  ): Promise<NamedModulation | null> {
    const { modulate } = this.#options;
    if (modulate === undefined) return null;
    const names = new Map(
      Array.from(this.training.variables, ([name, variable]) => [variable, name]),
    );
    const nameOf = (variable: Variable): string => {
      const name = names.get(variable);
      if (name !== undefined) return name;
      throw new MultigradError(
        'invalid-argument',
        `Option \`modulate\` should name variables of the trainer. Found \`${variable.name}\`.`,
      );
    };
    const { collective } = this.training.sharding;
    const squaredNorms = async (lists: readonly (readonly Variable[])[]): Promise<number[]> => {
      const own = await squaredNormsOf(
        combinations,
        lists.map((list) => list.map(nameOf)),
      );
      return [...(await collective.sum(Float64Array.from(own)))];
    };
    const { variables, accept } = await modulate({ step, losses, metrics, squaredNorms });
    const byName = new Map(Array.from(variables, ([variable, one]) => [nameOf(variable), one]));
    return { byName, accept };
  }

  #forward(
    { batch, firstSample, totalSamples }: Omit<OwnBatch<Batch>, 'size'>,
    step: number,
  ): Forward<Name> {
    const { sumNow } = this.training.sharding;
    const whole = totalSamples === undefined ? {} : { totalSamples };
    const share = { firstSample, ...whole, sumNow };
    return () =>
      withShare(share, () => this.#options.objectives(batch, { training: true, step, share }));
  }
}

/** What is done to variables in a step, by name. */
interface NamedModulation {
  readonly byName: ReadonlyMap<string, Modulation | null>;
  /** Takes over what `modulate` will go on from, once the step has succeeded. */
  readonly accept: (() => void) | undefined;
}

/** A step whose update was made. */
interface AppliedStep<Name extends string> extends IntegratedStep<Name> {
  readonly accept: (() => void) | undefined;
}

/** This rank's part of a batch, and the place of its first sample in the batch of all ranks. */
interface OwnBatch<Batch> {
  readonly batch: Batch;
  readonly size: number;
  readonly firstSample: number;
  /** Samples in the whole batch. */
  readonly totalSamples?: number;
}

/** A step's report, and the number of samples in it on all ranks. */
export interface MadeStep<Name extends string> {
  readonly report: StepReport<Name>;
  readonly samples: number;
}

function isNonFinite(error: unknown): error is MultigradError {
  return MultigradError.isInstance(error) && error.code === 'non-finite';
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T, void> {
  for (const value of values) yield await Promise.resolve(value);
}
