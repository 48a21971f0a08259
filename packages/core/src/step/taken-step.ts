import type { Tensor } from '@tensorflow/tfjs-core';
import type { IntegrationState } from '../network/integration-state.ts';
import type { RunVariable } from '../network/run-variables.ts';
import type { Collective } from '../ranks/collective.ts';
import { type Combinations, materialise } from '../rows/combination.ts';
import type { GradientMemory } from '../rows/gradient-memory.ts';
import type { TensorBag } from '../tape/ownership.ts';
import type { Combined } from './combine.ts';
import type { IntegratedStep } from './integrate-options.ts';
import type { StepContext } from './step-context.ts';

/**
 * A step that has been taken: its gradients as rows and weights, not added up yet, and all that goes on to the next one.
 * Whoever took it applies them, then disposes of it.
 */
export class TakenStep<Name extends string = string> {
  /** By the run's names; null where nothing reached the variable. Among ranks the rows are this one's slices, flat. */
  readonly combinations: Combinations;
  readonly #report: Omit<IntegratedStep<Name>, 'memory'>;
  readonly #bag: TensorBag;
  readonly #collective: Collective;
  readonly #variables: readonly RunVariable[];
  #memory: GradientMemory | null;

  constructor(
    { combinations, memory }: Combined,
    report: Omit<IntegratedStep<Name>, 'memory'>,
    { bag, collective, variables }: StepContext,
  ) {
    this.combinations = combinations;
    this.#report = report;
    this.#bag = bag;
    this.#collective = collective;
    this.#variables = variables;
    this.#memory = memory;
  }

  /** The state to go on from. */
  get state(): IntegrationState {
    return this.#report.state;
  }

  /** The gradients added up, whole ones also among ranks, by the run's names; they are the caller's. */
  async sums(): Promise<ReadonlyMap<string, Tensor | null>> {
    const bag = this.#bag;
    const shapes = new Map(this.#variables.map(({ name, variable }) => [name, variable.shape]));
    const present = Array.from(this.combinations).flatMap(([name, combination]) => {
      if (combination === null) return [];
      const { rows, weights } = combination;
      // A lone gradient of weight 1 is handed on as it is, but for what the memory owns.
      const whole = rows.length === 1 && weights[0] === 1 && this.#memory === null;
      const slice = bag.keep(whole ? rows[0]! : materialise(combination));
      return [{ name, slice, shape: shapes.get(name)! }];
    });
    const sums = bag.keepAll(await this.#collective.wholeRows(present));
    const byName = new Map(present.map(({ name }, index) => [name, bag.give(sums[index]!)]));
    return new Map(
      Array.from(this.combinations.keys(), (name) => [name, byName.get(name) ?? null]),
    );
  }

  /** What the step brought about beside gradients; what the strategy remembers is the caller's from then on. */
  result(): IntegratedStep<Name> {
    const memory = this.#memory;
    this.#memory = null;
    return { ...this.#report, ...(memory === null ? {} : { memory }) };
  }

  /** Frees the rows, and what the strategy remembers where nobody took it. */
  dispose(): void {
    this.#bag.dispose();
    this.#memory?.dispose();
    this.#memory = null;
  }
}
