import { clone, dispose, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { GradientMemory } from '../rows/gradient-memory.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import {
  byName,
  readVariables,
  type RunVariable,
  someTrained,
  statisticsByName,
  type VariablesOfRun,
} from '../network/run-variables.ts';
import { MultigradError } from '../base/errors.ts';
import { LossScale } from './loss-scale.ts';
import { nonFiniteOf } from './non-finite-parts.ts';
import { openSharding } from '../sharding/open-sharding.ts';
import type { Sharding } from '../sharding/sharding.ts';
import type { ReadSnapshot } from './read-snapshot.ts';
import { describeOptions } from './describe-options.ts';
import type { StateOptions } from './trainer-options.ts';
import { Update } from '../update/update.ts';

/**
 * The state of training between two steps: variables, statistics, the optimizer and its slots, averages, groups and states of
 * the strategy, its memory, the loss scale, and counts. `TrainerSnapshots` makes snapshots of it.
 */
export class TrainingState {
  readonly update: Update;
  /** The loss scale; null where losses are not scaled. */
  readonly lossScale: LossScale | null;
  /** The part of the variables and slots that this process holds. */
  readonly sharding: Sharding;
  /** All variables by name, frozen ones too. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** The variables that the forward pass itself changes, by name. */
  readonly statistics: ReadonlyMap<string, Variable>;
  readonly #options: StateOptions;
  readonly #source: VariablesOfRun;
  #frozen: ReadonlySet<string> = new Set();
  #integration: IntegrationState | undefined;
  #memory: GradientMemory | undefined;
  /** Number of the next step, where no groups are known. */
  #firstStep = 0;
  #skips = 0;
  #changes = 0;

  /** @throws MultigradError `invalid-option` */
  constructor(options: StateOptions) {
    this.#options = options;
    this.#source = readVariables(options.variables);
    this.variables = byName(this.#source.all);
    this.statistics = withModelStatistics(
      statisticsByName(options.statistics ?? []),
      this.#source.statistics,
    );
    const { exchange, synchronise = false, accumulate = 1 } = options;
    if (synchronise && accumulate > 1) {
      throw new MultigradError(
        'unsupported',
        `Option \`synchronise\` has no meaning where a batch comes in parts, which are normalised one by one. Found \`accumulate\` ${accumulate}.`,
      );
    }
    this.sharding = openSharding(exchange, this.variables, this.statistics, synchronise, () =>
      describeOptions(options),
    );
    const { collective, variables } = this.sharding;
    const optimizer = this.sharding.optimizerFor(options.optimizer);
    this.update = new Update({ ...options, optimizer }, variables, collective);
    this.lossScale = options.lossScale === undefined ? null : new LossScale(options.lossScale);
  }

  /** Groups and states of the strategy; undefined before the first step. */
  get integration(): IntegrationState | undefined {
    return this.#integration;
  }

  /** The memory of the strategy; undefined where its needs name none. */
  get memory(): GradientMemory | undefined {
    return this.#memory;
  }

  /** Number of the next step, from 0. */
  get step(): number {
    return this.#integration?.step ?? this.#firstStep;
  }

  /** Number of steps skipped in a row just now. */
  get skips(): number {
    return this.#skips;
  }

  /** Number of changes of weights and slots so far. A snapshot from before a change holds tensors with later values. */
  get changes(): number {
    return this.#changes;
  }

  /** Names of the variables that `freeze` left out of training. */
  get frozen(): ReadonlySet<string> {
    return this.#frozen;
  }

  /** The averages of the weights, by name; empty without the option `average`. */
  get averages(): ReadonlyMap<string, Tensor> {
    return this.update.average?.tensors ?? new Map<string, Tensor>();
  }

  /** All variables that a call may change, frozen ones and statistics too. */
  get touched(): readonly Variable[] {
    return [...new Set([...this.variables.values(), ...this.statistics.values()])];
  }

  /**
   * The variables that are frozen neither by name nor by their layer.
   *
   * @throws MultigradError `invalid-argument` where there is none
   */
  get trained(): readonly RunVariable[] {
    return someTrained(this.trainedBut(this.#frozen), this.#source.all);
  }

  /** The variables except these and those of layers that are not trainable now. */
  trainedBut(frozen: ReadonlySet<string>): readonly RunVariable[] {
    const { all, trained } = this.#source;
    const allowed = trained?.();
    return all.filter(
      ({ name, variable }) => !frozen.has(name) && (allowed?.has(variable) ?? true),
    );
  }

  /**
   * Reads which layers are trainable. Where that has changed since the groups were found, the next step finds them anew, as
   * after `freeze`.
   *
   * @throws MultigradError `structure-changed` where a layer has got weights since the trainer was made
   */
  followLayers(): void {
    const { trained } = this.#source;
    if (trained === null) return;
    const known = new Set(this.variables.values());
    const added = [...trained()].find((variable) => !known.has(variable));
    if (added !== undefined) {
      throw new MultigradError(
        'structure-changed',
        `A model should have the layers with which its trainer was made. Found a new weight \`${added.name}\`: make a new trainer.`,
      );
    }
    if (this.#integration === undefined) return;
    const grouped = new Set(this.#integration.groups.flatMap(({ variables }) => variables));
    const now = this.trainedBut(this.#frozen);
    if (now.length !== grouped.size || now.some(({ name }) => !grouped.has(name))) this.#regroup();
  }

  /** Frees the memory, the update and the sharded variables. */
  dispose(): void {
    this.#replaceMemory(undefined);
    this.update.dispose();
    this.sharding.dispose();
  }

  /** Begins with new groups: the strategy starts with empty states and an empty memory. */
  begin(integration: IntegrationState): void {
    this.#integration = { ...integration, step: this.step };
    const withMemory = this.#options.strategy.needs.memory !== undefined;
    this.#replaceMemory(withMemory ? new GradientMemory() : undefined);
  }

  /** Replaces the states and the memory of the strategy after a step. */
  advance(integration: IntegrationState, memory: GradientMemory | undefined): void {
    this.#integration = integration;
    this.#skips = 0;
    this.#changes += 1;
    if (this.#options.strategy.needs.memory !== undefined) this.#replaceMemory(memory);
  }

  /** Replaces the states of the strategy between two steps, after one of its hooks ran. */
  replaceStates(integration: IntegrationState): void {
    this.#integration = integration;
  }

  /** Counts a step that was skipped. @param inRow - whether it counts towards `maxSkips` */
  skip(inRow: boolean): void {
    const step = this.step + 1;
    if (inRow) this.#skips += 1;
    if (this.#integration === undefined) this.#firstStep = step;
    else this.#integration = { ...this.#integration, step };
  }

  /** Leaves variables out of training. The next step finds groups anew, and the strategy begins with new states. */
  freeze(names: readonly string[]): void {
    for (const name of names) {
      if (this.variables.has(name)) continue;
      throw new MultigradError(
        'invalid-argument',
        `Variables to freeze should be among those of the trainer. Found \`${name}\`.`,
      );
    }
    this.#frozen = new Set(names);
    this.#regroup();
  }

  /** Lets the next step find groups anew. The strategy's memory stays for the variables that are still trained. */
  #regroup(): void {
    this.#firstStep = this.step;
    this.#integration = undefined;
    const trained = new Set(this.trainedBut(this.#frozen).map(({ name }) => name));
    this.#replaceMemory(this.#memory?.only(({ variable }) => trained.has(variable)));
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
    const putBack = keepValues(this.variables);
    try {
      const whole = await this.sharding.gather(averages, (name) => name, 'every rank');
      for (const [name, variable] of this.variables) variable.assign(whole.get(name)!);
      return await body();
    } finally {
      putBack(true);
    }
  }

  /**
   * Runs `body`. Where it throws, statistics get their old values back.
   *
   * @param withUpdate - whether weights, slots and averages get theirs back too, for steps that may fail after the update
   */
  async undoing<T>(withUpdate: boolean, body: () => Promise<T>): Promise<T> {
    const changing = new Map([...this.statistics, ...(withUpdate ? this.variables : [])]);
    const putBack = keepValues(changing);
    const update = withUpdate ? this.update.keep() : null;
    let failed = true;
    try {
      const result = await body();
      failed = false;
      return result;
    } finally {
      putBack(failed);
      if (failed) update?.putBack();
      update?.dispose();
      if (failed && withUpdate) this.#changes += 1;
    }
  }

  /** Names the weights, statistics, slots and averages that contain NaN or infinity: no later step can be right then. */
  async nonFinite(): Promise<readonly string[]> {
    return nonFiniteOf({
      weight: this.variables,
      statistic: this.statistics,
      'optimizer slot': this.update.knownSlots(),
      average: this.averages,
    });
  }

  /** Replaces all but the update's own state by those of a snapshot that fits. */
  resume({ state, integration, weights, statistics, takeMemory }: ReadSnapshot): void {
    for (const [name, variable] of this.variables) variable.assign(weights.get(name)!);
    for (const [name, variable] of this.statistics) variable.assign(statistics.get(name)!);
    this.#frozen = new Set(state.frozen);
    this.#integration = integration;
    this.lossScale?.restore(state.lossScale ?? null);
    this.#firstStep = state.step;
    this.#skips = state.skips ?? 0;
    this.#changes += 1;
    this.#replaceMemory(takeMemory());
  }

  /** Replaces the memory, and frees the old one. */
  #replaceMemory(memory: GradientMemory | undefined): void {
    if (memory !== this.#memory) this.#memory?.dispose();
    this.#memory = memory;
  }
}

/** Statistics that the caller named, and those of the model that are not among them. */
function withModelStatistics(
  named: ReadonlyMap<string, Variable>,
  ofModel: ReadonlyMap<string, Variable>,
): ReadonlyMap<string, Variable> {
  const known = new Set(named.values());
  return new Map([...named, ...Array.from(ofModel).filter(([, variable]) => !known.has(variable))]);
}

/** Keeps the values of variables. @returns what frees them, and puts them back where it is told to */
function keepValues(variables: ReadonlyMap<string, Variable>): (putBack: boolean) => void {
  const values = Array.from(variables.values(), (variable) => clone(variable));
  return (putBack) => {
    if (putBack) {
      [...variables.values()].forEach((variable, index) => variable.assign(values[index]!));
    }
    dispose(values);
  };
}
