import {
  clone,
  dispose,
  type NamedTensorMap,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import { accumulateGradients } from '../engine/accumulate.ts';
import { GradientMemory } from '../engine/gradient-memory.ts';
import {
  buildIntegration,
  type Forward,
  groupingOf,
  integrateCombinations,
  type IntegratedStep,
  integrateGradients,
  type IntegrateOptions,
} from '../engine/integrate-gradients.ts';
import { type IntegrationState, stateDifferences } from '../engine/integration-state.ts';
import { afterStep, endEpoch } from '../engine/strategy-hooks.ts';
import { MultigradError } from '../strategy/errors.ts';
import { batchSize } from './batch-size.ts';
import { evaluateBatches } from './evaluate.ts';
import type { Measured } from './measurements.ts';
import { variablesByName } from './named-variables.ts';
import {
  renameVariables,
  tensorsBelow,
  type TrainerSnapshot,
  type TrainerState,
} from './snapshot.ts';
import type { StepReport } from './step-report.ts';
import { tensorDifferences } from './tensor-differences.ts';
import type { TrainerOptions } from './trainer-options.ts';
import { Update } from './update.ts';

/** Makes training steps, and holds all that they carry from one to the next. */
export class Stepper<Batch, Name extends string> {
  readonly #options: TrainerOptions<Batch, Name>;
  readonly #named: ReadonlyMap<string, Variable>;
  readonly #statistics: ReadonlyMap<string, Variable>;
  readonly #update: Update;
  #frozen: ReadonlySet<string> = new Set();
  #state: IntegrationState | undefined;
  #memory: GradientMemory | undefined;
  /** Number of the next step where there is no state. */
  #firstStep = 0;
  #busy = false;

  /** @throws MultigradError `invalid-option` */
  constructor(options: TrainerOptions<Batch, Name>) {
    this.#options = options;
    this.#named = variablesByName(options.variables);
    this.#statistics = variablesByName(options.statistics ?? []);
    this.#update = new Update(options, this.#named);
  }

  get state(): IntegrationState | undefined {
    return this.#state;
  }

  get memory(): GradientMemory | undefined {
    return this.#memory;
  }

  /** Number of the next step, from 0. */
  get step(): number {
    return this.#state?.step ?? this.#firstStep;
  }

  /** The averages of the weights, by name; none where none are kept. */
  get averages(): ReadonlyMap<string, Tensor> {
    return this.#update.average?.tensors ?? new Map<string, Tensor>();
  }

  /** Batches that one step takes. */
  get batches(): number {
    const { strategy, accumulate = 1 } = this.#options;
    return (strategy.needs.batches ?? 1) * accumulate;
  }

  dispose(): void {
    this.#remember(undefined);
    this.#update.dispose();
  }

  build(samples: readonly Batch[]): void {
    const { objectives, strategy } = this.#options;
    const { step } = this;
    const forwards = samples.map((batch) => () => objectives(batch, { training: true, step }));
    this.#state = {
      ...buildIntegration(forwards, this.#trained(), strategy, this.#options),
      step,
    };
    this.#remember(strategy.needs.memory === true ? new GradientMemory() : undefined);
  }

  /** Leaves variables out of training; groups are found anew, and the strategy's memory is lost. */
  freeze(names: readonly string[]): void {
    for (const name of names) {
      if (this.#named.has(name)) continue;
      throw new MultigradError(
        'invalid-argument',
        `Variables to freeze should be among those of the trainer. Found \`${name}\`.`,
      );
    }
    this.#frozen = new Set(names);
    this.#firstStep = this.step;
    this.#state = undefined;
    this.#remember(undefined);
  }

  endEpoch(losses: Readonly<Partial<Record<string, number>>>): void {
    if (this.#state === undefined) return;
    this.#state = endEpoch(this.#options.strategy, this.#state, losses);
  }

  /** Runs `body` with the averages in place of the weights. */
  async withAverages<T>(body: () => Promise<T>): Promise<T> {
    const { averages } = this;
    if (averages.size === 0) {
      throw new MultigradError(
        'invalid-argument',
        'There are no averages of weights: the option `average` is missing, or no step was made yet.',
      );
    }
    const weights = Array.from(this.#named.values(), (variable) => clone(variable));
    try {
      for (const [name, variable] of this.#named) variable.assign(averages.get(name)!);
      return await body();
    } finally {
      [...this.#named.values()].forEach((variable, index) => variable.assign(weights[index]!));
      dispose(weights);
    }
  }

  /** One training step; when it throws, all is as before. */
  async make(batches: readonly Batch[]): Promise<StepReport<Name>> {
    const statistics = Array.from(this.#statistics.values(), (variable) => clone(variable));
    const { step } = this;
    this.#busy = true;
    try {
      return await this.#make(batches);
    } catch (error) {
      [...this.#statistics.values()].forEach((variable, index) => {
        variable.assign(statistics[index]!);
      });
      if (this.#options.onNonFinite !== 'skip' || !isNonFinite(error)) throw error;
      if (this.#state === undefined) this.#firstStep = step + 1;
      else this.#state = { ...this.#state, step: step + 1 };
      const nothing = { losses: {}, metrics: {} } as Measured<Name>;
      return { step, ...nothing, groups: [], sweeps: 0, observed: false, skipped: error.message };
    } finally {
      dispose(statistics);
      this.#busy = false;
    }
  }

  async #make(batches: readonly Batch[]): Promise<StepReport<Name>> {
    const { objectives, strategy } = this.#options;
    const { step } = this;
    const result = await this.#integrate(batches, step);
    this.#state = result.state;
    if (strategy.needs.memory === true) this.#remember(result.memory);
    if (strategy.needs.losses === 'now-and-after-step') {
      const { losses } = await evaluateBatches(
        (batch: Batch) => objectives(batch, { training: true, step }),
        each(batches.slice(0, this.#options.accumulate ?? 1)),
      );
      this.#state = afterStep(strategy, result.state, losses);
    }
    const { losses, metrics, groups, sweeps, observed } = result;
    return { step, losses, metrics, groups, sweeps, observed };
  }

  /** Integrates the gradients and lets the optimizer have its turn. */
  async #integrate(batches: readonly Batch[], step: number): Promise<IntegratedStep<Name>> {
    const { objectives, observe, accumulate = 1 } = this.#options;
    const sizes = batches.map(batchSize);
    const variables = this.#trained();
    const forwards = batches.map(
      (batch): Forward<Name> =>
        () =>
          objectives(batch, { training: true, step }),
    );
    const options = {
      ...this.#options,
      state: this.#state,
      firstStep: step,
      memory: this.#memory,
      observe: observe !== undefined && step % observe.every === 0,
    };
    if (accumulate === 1) return this.#apply(forwards, variables, options, step);
    if (batches.length !== this.batches) {
      throw new MultigradError(
        'invalid-argument',
        `A step should get ${this.batches} batches, ${accumulate} to accumulate for each that the strategy takes. Found ${batches.length}.`,
      );
    }
    const accumulated: Awaited<ReturnType<typeof accumulateGradients>>[] = [];
    try {
      for (let first = 0; first < batches.length; first += accumulate) {
        const parts = forwards.slice(first, first + accumulate).map((forward, part) => ({
          forward,
          samples: sizes[first + part]!,
        }));
        accumulated.push(await accumulateGradients(parts, variables, step));
      }
      const whole = accumulated.map(({ forward }) => forward as Forward<Name>);
      return await this.#apply(whole, variables, options, step);
    } finally {
      for (const one of accumulated) one.dispose();
    }
  }

  async #apply(
    forwards: readonly Forward<Name>[],
    variables: readonly Variable[],
    options: IntegrateOptions<Name>,
    step: number,
  ): Promise<IntegratedStep<Name>> {
    const { strategy } = this.#options;
    if (this.#update.combines) {
      return integrateCombinations(forwards, variables, strategy, options, (combinations) => {
        this.#update.applyCombinations(combinations, step);
      });
    }
    const result = await integrateGradients(forwards, variables, strategy, options);
    try {
      // Optimizers know variables by their place among the gradients.
      const gradients = Object.fromEntries(
        Array.from(this.#named.values(), ({ name }) => [name, result.gradients[name] ?? null]),
      ) as NamedTensorMap;
      await this.#update.apply(gradients, step, result.state.groups);
    } catch (error) {
      result.memory?.dispose();
      throw error;
    } finally {
      dispose(result.gradients);
    }
    return result;
  }

  snapshot(): {
    readonly state: Omit<TrainerState, 'fit'>;
    readonly tensors: TrainerSnapshot['tensors'];
  } {
    if (this.#busy) {
      throw new MultigradError(
        'interleaved-call',
        'A snapshot was asked for during a step. Take it between steps, as at a safe point.',
      );
    }
    const { kind, values, tensors: slots, averagedSteps, averages } = this.#update.snapshot();
    const memory = this.#memory?.tensors() ?? [];
    const stable = new Map(Array.from(this.#named, ([name, variable]) => [variable.name, name]));
    const tensors = new Map<string, Tensor>();
    const put = (prefix: string, entries: Iterable<readonly [string | number, Tensor]>): void => {
      for (const [name, tensor] of entries) tensors.set(`${prefix}/${name}`, tensor);
    };
    put('weights', this.#named);
    put('statistics', this.#statistics);
    put('optimizer', slots);
    put('average', averages);
    put(
      'memory',
      memory.map(({ value }, index) => [index, value] as const),
    );
    return {
      state: {
        format: 1,
        step: this.step,
        integration: this.#state === undefined ? null : renameVariables(this.#state, stable),
        memory: memory.map(({ variable, objective }) => ({
          variable: stable.get(variable)!,
          objective,
        })),
        frozen: [...this.#frozen],
        optimizer: { kind, values },
        averagedSteps,
      },
      tensors,
    };
  }

  restore({ state, tensors }: TrainerSnapshot): void {
    const { strategy } = this.#options;
    const update = {
      ...state.optimizer,
      tensors: tensorsBelow('optimizer', tensors),
      averagedSteps: state.averagedSteps,
      averages: tensorsBelow('average', tensors),
    };
    const own = new Map(Array.from(this.#named, ([name, variable]) => [name, variable.name]));
    const integration =
      state.integration === null ? undefined : renameVariables(state.integration, own);
    const remembered = state.memory.map(({ variable, objective }, index) => ({
      variable: own.get(variable) ?? variable,
      objective,
      value: tensors.get(`memory/${index}`),
    }));
    const trained = Array.from(this.#named)
      .filter(([name]) => !state.frozen.includes(name))
      .map(([, variable]) => variable);
    const differences = [
      ...((state.format as number) === 1 ? [] : [`format ${state.format}, expected 1`]),
      ...(integration === undefined
        ? []
        : stateDifferences(integration, strategy, groupingOf(this.#options), trained)),
      ...tensorDifferences('weight', tensorsBelow('weights', tensors), this.#named),
      ...tensorDifferences('statistic', tensorsBelow('statistics', tensors), this.#statistics),
      ...remembered
        .filter(({ value }) => value === undefined)
        .map(({ variable, objective }) => `no memory of \`${objective}\` for \`${variable}\``),
      ...this.#update.differences(update),
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
    this.#update.restore(update);
    this.#frozen = new Set(state.frozen);
    this.#state = integration;
    this.#firstStep = state.step;
    this.#remember(
      strategy.needs.memory === true && integration !== undefined
        ? new GradientMemory(remembered.map((one) => ({ ...one, value: one.value!.clone() })))
        : undefined,
    );
  }

  #trained(): readonly Variable[] {
    return Array.from(this.#named)
      .filter(([name]) => !this.#frozen.has(name))
      .map(([, variable]) => variable);
  }

  /** Takes over what is remembered from now on, and frees what was. */
  #remember(memory: GradientMemory | undefined): void {
    if (memory !== this.#memory) this.#memory?.dispose();
    this.#memory = memory;
  }
}

function isNonFinite(error: unknown): error is MultigradError {
  return MultigradError.isInstance(error) && error.code === 'non-finite';
}

async function* each<Batch>(batches: readonly Batch[]): AsyncGenerator<Batch, void> {
  for (const batch of batches) yield await Promise.resolve(batch);
}
