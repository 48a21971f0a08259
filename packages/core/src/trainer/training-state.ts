import { clone, dispose, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { GradientMemory } from '../rows/gradient-memory.ts';
import { groupingOf } from '../step/integrate-gradients.ts';
import { type IntegrationState, stateDifferences } from '../network/integration-state.ts';
import { MultigradError } from '../base/errors.ts';
import { LossScale } from './loss-scale.ts';
import { variablesByName } from '../network/named-variables.ts';
import { Ranks, slotVariable } from './ranks.ts';
import {
  renameVariables,
  tensorsBelow,
  type TrainerSnapshot,
  type TrainerState,
} from './snapshot.ts';
import { tensorDifferences } from '../optimizers/tensor-differences.ts';
import type { TrainerOptions } from './trainer-options.ts';
import { Update } from '../update/update.ts';

/** What `TrainingState` needs to know of a trainer. */
export type StateOptions = Omit<TrainerOptions<never, string>, 'objectives'>;

/** All that training carries from one step to the next, weights included. */
export class TrainingState {
  readonly update: Update;
  /** Null where losses are not scaled. */
  readonly lossScale: LossScale | null;
  /** Null for a trainer by itself. */
  readonly ranks: Ranks | null;
  readonly #options: StateOptions;
  readonly #named: ReadonlyMap<string, Variable>;
  readonly #statistics: ReadonlyMap<string, Variable>;
  #frozen: ReadonlySet<string> = new Set();
  #integration: IntegrationState | undefined;
  #memory: GradientMemory | undefined;
  /** Number of the next step where there are no groups yet. */
  #firstStep = 0;

  /** @throws MultigradError `invalid-option` */
  constructor(options: StateOptions) {
    this.#options = options;
    this.#named = variablesByName(options.variables);
    this.#statistics = variablesByName(options.statistics ?? []);
    const { exchange, synchronise = false, accumulate = 1 } = options;
    if (synchronise && accumulate > 1) {
      throw new MultigradError(
        'unsupported',
        `Option \`synchronise\` has no meaning where a batch comes in parts, which are normalised one by one. Found \`accumulate\` ${accumulate}.`,
      );
    }
    this.ranks =
      exchange === undefined
        ? null
        : new Ranks(exchange, this.#named, this.#statistics, synchronise);
    this.update = updateOf(options, this.#named, this.ranks);
    this.lossScale = options.lossScale === undefined ? null : new LossScale(options.lossScale);
  }

  /** What gradient integration carries on; undefined before the first step. */
  get integration(): IntegrationState | undefined {
    return this.#integration;
  }

  /** The vectors that the strategy remembers. */
  get memory(): GradientMemory | undefined {
    return this.#memory;
  }

  /** Number of the next step, from 0. */
  get step(): number {
    return this.#integration?.step ?? this.#firstStep;
  }

  /** The averages of the weights, by name; none where none are kept. */
  get averages(): ReadonlyMap<string, Tensor> {
    return this.update.average?.tensors ?? new Map<string, Tensor>();
  }

  /** All variables, frozen ones too, in the order in which optimizers know them. */
  get variables(): readonly Variable[] {
    return [...this.#named.values()];
  }

  /** The variables that are not frozen. */
  get trained(): readonly Variable[] {
    return Array.from(this.#named)
      .filter(([name]) => !this.#frozen.has(name))
      .map(([, variable]) => variable);
  }

  dispose(): void {
    this.#remember(undefined);
    this.update.dispose();
    this.ranks?.dispose();
  }

  /** Begins with groups just found: the strategy's memory is lost. */
  begin(integration: IntegrationState): void {
    this.#integration = { ...integration, step: this.step };
    const remembers = this.#options.strategy.needs.memory === true;
    this.#remember(remembers ? new GradientMemory() : undefined);
  }

  /** Takes over what a step brought about. */
  advance(integration: IntegrationState, memory: GradientMemory | undefined): void {
    this.#integration = integration;
    if (this.#options.strategy.needs.memory === true) this.#remember(memory);
  }

  /** Takes over what a strategy made of news between two steps. */
  note(integration: IntegrationState): void {
    this.#integration = integration;
  }

  /** Counts a step that was none. */
  skip(): void {
    const step = this.step + 1;
    if (this.#integration === undefined) this.#firstStep = step;
    else this.#integration = { ...this.#integration, step };
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
    this.#integration = undefined;
    this.#remember(undefined);
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
    const restore = keep(this.#named);
    try {
      const whole = (await this.ranks?.gather(averages, (name) => name)) ?? averages;
      for (const [name, variable] of this.#named) variable.assign(whole.get(name)!);
      return await body();
    } finally {
      restore();
    }
  }

  /** Runs `body`; what the forward pass changed by itself is undone where it throws. */
  async keepingStatistics<T>(body: () => Promise<T>): Promise<T> {
    const statistics = Array.from(this.#statistics.values(), (variable) => clone(variable));
    try {
      return await body();
    } catch (error) {
      [...this.#statistics.values()].forEach((variable, index) => {
        variable.assign(statistics[index]!);
      });
      throw error;
    } finally {
      dispose(statistics);
    }
  }

  /** @throws MultigradError `unsupported` for one of several ranks, none of which has all */
  snapshot(): StateSnapshot {
    if (this.ranks !== null) {
      throw new MultigradError(
        'unsupported',
        'Each of several ranks has a part of the optimizer alone: await `gatherSnapshot()` on all of them. Found a call of `snapshot()`.',
      );
    }
    return this.#snapshotOf(this.#parts());
  }

  /** The same where there are several ranks, all of which call it; the tensors last until the next one. */
  async gatherSnapshot(): Promise<StateSnapshot> {
    const { ranks } = this;
    if (ranks === null) return this.snapshot();
    ranks.free();
    await ranks.begin();
    const own = this.#parts();
    const remembered = this.memory?.tensors() ?? [];
    const stable = new Map(Array.from(this.#named, ([name, variable]) => [variable.name, name]));
    return this.#snapshotOf({
      slots: await ranks.gather(own.slots, slotVariable),
      averages: await ranks.gather(own.averages, (name) => name),
      memory: await ranks.gather(
        own.memory,
        (index) => stable.get(remembered[Number(index)]!.variable) ?? null,
      ),
    });
  }

  /** The tensors that ranks share out. */
  #parts(): SnapshotParts {
    const { tensors: slots, averages } = this.update.snapshot();
    const memory = this.memory?.tensors() ?? [];
    const remembered = memory.map(({ value }, index) => [String(index), value] as const);
    return { slots, averages, memory: new Map(remembered) };
  }

  #snapshotOf({ slots, averages, memory: remembered }: SnapshotParts): StateSnapshot {
    const { kind, values, averagedSteps } = this.update.snapshot();
    const memory = this.memory?.tensors() ?? [];
    const stable = new Map(Array.from(this.#named, ([name, variable]) => [variable.name, name]));
    const tensors = new Map<string, Tensor>();
    const put = (prefix: string, entries: ReadonlyMap<string, Tensor>): void => {
      for (const [name, tensor] of entries) tensors.set(`${prefix}/${name}`, tensor);
    };
    put('weights', this.#named);
    put('statistics', this.#statistics);
    put('optimizer', slots);
    put('average', averages);
    put('memory', remembered);
    return {
      state: {
        format: 1,
        step: this.step,
        integration:
          this.integration === undefined ? null : renameVariables(this.integration, stable),
        memory: memory.map(({ variable, objective }) => ({
          variable: stable.get(variable)!,
          objective,
        })),
        frozen: [...this.#frozen],
        optimizer: { kind, values },
        averagedSteps,
        ...(this.lossScale === null ? {} : { lossScale: this.lossScale.snapshot() }),
      },
      tensors,
    };
  }

  restore(snapshot: TrainerSnapshot): void {
    const own = this.ranks === null ? snapshot : cutSnapshot(snapshot, this.ranks);
    try {
      this.#restore(own);
    } finally {
      if (own !== snapshot) dispose([...own.tensors.values()]);
    }
  }

  #restore({ state, tensors }: TrainerSnapshot): void {
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
      ...this.update.differences(update),
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
    this.update.restore(update);
    this.#frozen = new Set(state.frozen);
    this.#integration = integration;
    this.lossScale?.restore(state.lossScale ?? null);
    this.#firstStep = state.step;
    this.#remember(
      strategy.needs.memory === true && integration !== undefined
        ? new GradientMemory(remembered.map((one) => ({ ...one, value: one.value!.clone() })))
        : undefined,
    );
  }

  /** Takes over what is remembered from now on, and frees what was. */
  #remember(memory: GradientMemory | undefined): void {
    if (memory !== this.#memory) this.#memory?.dispose();
    this.#memory = memory;
  }
}

/** Everything but what a `fit` adds. */
export interface StateSnapshot {
  readonly state: Omit<TrainerState, 'fit'>;
  readonly tensors: TrainerSnapshot['tensors'];
}

type SnapshotParts = Readonly<Record<'slots' | 'averages' | 'memory', ReadonlyMap<string, Tensor>>>;

/** The same snapshot with a rank's slices in the place of what ranks share out; new tensors. */
function cutSnapshot({ state, tensors }: TrainerSnapshot, ranks: Ranks): TrainerSnapshot {
  const variableOf = (name: string): string | null => {
    const rest = slotVariable(name) ?? '';
    if (name.startsWith('optimizer/')) return slotVariable(rest);
    if (name.startsWith('average/')) return rest;
    if (name.startsWith('memory/')) return state.memory[Number(rest)]?.variable ?? null;
    return null;
  };
  return { state, tensors: ranks.cut(tensors, variableOf) };
}

/** Among several ranks each updates its slices of the variables. */
function updateOf(
  options: StateOptions,
  named: ReadonlyMap<string, Variable>,
  ranks: Ranks | null,
): Update {
  if (ranks === null) return new Update(options, named);
  const { shards, exchange } = ranks;
  const optimizer = shards.optimizerOf(options.optimizer);
  return new Update({ ...options, optimizer }, shards.slices, exchange);
}

/** Keeps the values of variables. @returns what puts them back */
function keep(variables: ReadonlyMap<string, Variable>): () => void {
  const values = Array.from(variables.values(), (variable) => clone(variable));
  return () => {
    [...variables.values()].forEach((variable, index) => variable.assign(values[index]!));
    dispose(values);
  };
}
