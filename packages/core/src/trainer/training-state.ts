import { clone, dispose, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { GradientMemory } from '../rows/gradient-memory.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import { type RunVariable, runVariables, variablesByName } from '../network/run-variables.ts';
import { MultigradError } from '../base/errors.ts';
import { LossScale } from './loss-scale.ts';
import { nonFiniteOf } from './non-finite-parts.ts';
import { openSharding } from '../sharding/open-sharding.ts';
import type { Sharding } from '../sharding/sharding.ts';
import { assertAlive, readSnapshot, type ReadSnapshot } from './read-snapshot.ts';
import { tensorsUnder, type TrainerSnapshot, type TrainerState } from './snapshot.ts';
import { optimizerValuesToJson, stateToJson } from './state-json.ts';
import type { StateOptions } from './trainer-options.ts';
import { Update } from '../update/update.ts';

/** Everything but what a `fit` adds. */
export interface StateSnapshot {
  readonly state: Omit<TrainerState, 'fit'>;
  readonly tensors: TrainerSnapshot['tensors'];
}

type SnapshotParts = Readonly<Record<'slots' | 'averages' | 'memory', ReadonlyMap<string, Tensor>>>;

/** All that training carries from one step to the next, weights included. */
export class TrainingState {
  readonly update: Update;
  /** Null where losses are not scaled. */
  readonly lossScale: LossScale | null;
  /** Who holds which part of what the optimizer changes. */
  readonly sharding: Sharding;
  readonly #options: StateOptions;
  readonly #variables: readonly RunVariable[];
  readonly #named: ReadonlyMap<string, Variable>;
  readonly #statistics: ReadonlyMap<string, Variable>;
  #frozen: ReadonlySet<string> = new Set();
  #integration: IntegrationState | undefined;
  #memory: GradientMemory | undefined;
  /** Number of the next step where there are no groups yet. */
  #firstStep = 0;
  #skips = 0;
  /** Counts the changes of weights and slots: snapshots made before one hold other tensors than they should. */
  #changes = 0;
  readonly #made = new WeakMap<ReadonlyMap<string, Tensor>, number>();

  /** @throws MultigradError `invalid-option` */
  constructor(options: StateOptions) {
    this.#options = options;
    this.#variables = runVariables(options.variables);
    this.#named = variablesByName(options.variables);
    this.#statistics = variablesByName(options.statistics ?? []);
    const { exchange, synchronise = false, accumulate = 1 } = options;
    if (synchronise && accumulate > 1) {
      throw new MultigradError(
        'unsupported',
        `Option \`synchronise\` has no meaning where a batch comes in parts, which are normalised one by one. Found \`accumulate\` ${accumulate}.`,
      );
    }
    this.sharding = openSharding(exchange, this.#named, this.#statistics, synchronise);
    const { collective, variables } = this.sharding;
    const optimizer = this.sharding.optimizerFor(options.optimizer);
    this.update = new Update({ ...options, optimizer }, variables, collective);
    this.lossScale = options.lossScale === undefined ? null : new LossScale(options.lossScale);
  }

  /** What gradient integration carries on; undefined before the first step. */
  get integration(): IntegrationState | undefined {
    return this.#integration;
  }

  /** The memory of the strategy. */
  get memory(): GradientMemory | undefined {
    return this.#memory;
  }

  /** Number of the next step, from 0. */
  get step(): number {
    return this.#integration?.step ?? this.#firstStep;
  }

  /** How many of the last steps, without one in between that was made, were skipped. */
  get skips(): number {
    return this.#skips;
  }

  /** The averages of the weights, by name; none where none are kept. */
  get averages(): ReadonlyMap<string, Tensor> {
    return this.update.average?.tensors ?? new Map<string, Tensor>();
  }

  /** All variables that a call may change, frozen ones and statistics too. */
  get touched(): readonly Variable[] {
    return [...new Set([...this.#named.values(), ...this.#statistics.values()])];
  }

  /** The variables that are not frozen. */
  get trained(): readonly RunVariable[] {
    return this.#trainedBut(this.#frozen);
  }

  dispose(): void {
    this.#remember(undefined);
    this.update.dispose();
    this.sharding.dispose();
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
    this.#skips = 0;
    this.#changes += 1;
    if (this.#options.strategy.needs.memory === true) this.#remember(memory);
  }

  /** Takes over what a strategy made of news between two steps. */
  note(integration: IntegrationState): void {
    this.#integration = integration;
  }

  /** Counts a step that was none. @param inRow - whether it counts among those after which training gives up */
  skip(inRow: boolean): void {
    const step = this.step + 1;
    if (inRow) this.#skips += 1;
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
    const putBack = keepValues(this.#named);
    try {
      const whole = await this.sharding.gather(averages, (name) => name);
      for (const [name, variable] of this.#named) variable.assign(whole.get(name)!);
      return await body();
    } finally {
      putBack(true);
    }
  }

  /**
   * Runs `body`; where it throws, what the forward pass changed by itself is as before.
   *
   * @param withUpdate - whether weights, slots and averages are set back too: for steps that may fail after the update
   */
  async undoing<T>(withUpdate: boolean, body: () => Promise<T>): Promise<T> {
    const changing = new Map([...this.#statistics, ...(withUpdate ? this.#named : [])]);
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

  /** What among weights, statistics and the update's memory is NaN or infinite, so that no later step can be sound. */
  async nonFinite(): Promise<readonly string[]> {
    return nonFiniteOf({
      weight: this.#named,
      statistic: this.#statistics,
      'optimizer slot': this.update.knownSlots(),
      average: this.averages,
    });
  }

  /** @throws MultigradError `unsupported` for one of several ranks, none of which has all */
  snapshot(): StateSnapshot {
    if (!this.sharding.whole) {
      throw new MultigradError(
        'unsupported',
        'Each of several ranks has a part of the optimizer alone: await `gatherSnapshot()` on all of them. Found a call of `snapshot()`.',
      );
    }
    return this.#snapshotOf(this.#parts());
  }

  /** The same where there are several ranks, all of which call it; the tensors last until the next one. */
  async gatherSnapshot(): Promise<StateSnapshot> {
    const { sharding } = this;
    sharding.free();
    await sharding.begin();
    const own = this.#parts();
    const remembered = this.memory?.tensors() ?? [];
    return this.#snapshotOf({
      slots: await sharding.gather(own.slots, slotVariable),
      averages: await sharding.gather(own.averages, (name) => name),
      memory: await sharding.gather(own.memory, (index) => remembered[Number(index)]!.variable),
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
    const tensors = tensorsUnder({
      weights: this.#named,
      statistics: this.#statistics,
      optimizer: slots,
      average: averages,
      memory: remembered,
    });
    this.#made.set(tensors, this.#changes);
    const { integration } = this;
    return {
      state: {
        format: 1,
        step: this.step,
        integration: integration === undefined ? null : stateToJson(integration),
        memory: memory.map(({ variable, objective }) => ({ variable, objective })),
        frozen: [...this.#frozen],
        optimizer: { kind, values: optimizerValuesToJson(kind, values) },
        averagedSteps,
        ...(this.lossScale === null ? {} : { lossScale: this.lossScale.snapshot() }),
        ...(this.#skips === 0 ? {} : { skips: this.#skips }),
      },
      tensors,
    };
  }

  /**
   * Goes on from a snapshot: all of it is checked before any of it is written.
   *
   * @throws MultigradError `structure-changed` with all that differs, `invalid-argument` for tensors that have changed
   *   since; nothing has changed then
   */
  restore(snapshot: TrainerSnapshot): void {
    this.#checkFresh(snapshot);
    assertAlive(snapshot);
    const own = cutSnapshot(snapshot, this.sharding);
    let read: ReadSnapshot | null = null;
    try {
      read = readSnapshot(own, {
        options: this.#options,
        named: this.#named,
        statistics: this.#statistics,
        slices: this.sharding.variables,
        update: this.update,
        trained: (frozen) => this.#trainedBut(frozen),
      });
      // The one part that may still refuse comes first, and undoes what it wrote then.
      this.update.restore(read.update);
      this.#write(read);
    } finally {
      read?.dispose();
      dispose([...own.tensors.values()]);
    }
  }

  #write({ state, integration, weights, statistics, takeMemory }: ReadSnapshot): void {
    for (const [name, variable] of this.#named) variable.assign(weights.get(name)!);
    for (const [name, variable] of this.#statistics) variable.assign(statistics.get(name)!);
    this.#frozen = new Set(state.frozen);
    this.#integration = integration;
    this.lossScale?.restore(state.lossScale ?? null);
    this.#firstStep = state.step;
    this.#skips = state.skips ?? 0;
    this.#changes += 1;
    this.#remember(takeMemory());
  }

  /** A snapshot just made holds the trainer's own tensors: after a step they are no longer what it was made of. */
  #checkFresh({ tensors }: TrainerSnapshot): void {
    const live = Array.from(this.#named).find(
      ([name, variable]) => tensors.get(`weights/${name}`) === variable,
    );
    if (live === undefined || this.#made.get(tensors) === this.#changes) return;
    throw new MultigradError(
      'invalid-argument',
      `The snapshot should hold the values of its time. Found the trainer's own variable \`${live[0]}\`, which has changed since: ` +
        'copy the tensors of a snapshot before the next step.',
    );
  }

  #trainedBut(frozen: ReadonlySet<string>): readonly RunVariable[] {
    return this.#variables.filter(({ name }) => !frozen.has(name));
  }

  /** Takes over what is remembered from now on, and frees what was. */
  #remember(memory: GradientMemory | undefined): void {
    if (memory !== this.#memory) this.#memory?.dispose();
    this.#memory = memory;
  }
}

/** A copy of a snapshot with a rank's slices in the place of what ranks share out. */
function cutSnapshot({ state, tensors }: TrainerSnapshot, sharding: Sharding): TrainerSnapshot {
  const variableOf = (name: string): string | null => {
    const rest = slotVariable(name) ?? '';
    if (name.startsWith('optimizer/')) return slotVariable(rest);
    if (name.startsWith('average/')) return rest;
    if (name.startsWith('memory/')) return state.memory[Number(rest)]?.variable ?? null;
    return null;
  };
  return { state, tensors: sharding.cut(tensors, variableOf) };
}

/** The variable's name in that of a slot, `slot/variable`. */
function slotVariable(slot: string): string | null {
  const end = slot.indexOf('/');
  return end < 0 ? null : slot.slice(end + 1);
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
