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
 * The result of a step: gradients as rows and weights, not added up yet, the report and the next state. The caller applies
 * the gradients, then disposes of the step.
 */
export class TakenStep<Name extends string = string> {
  /** The gradients by variable name; null where nothing reached the variable. Among ranks rows are this rank's slices, flat. */
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

  /** What the step measured, and its reports. */
  get report(): Omit<IntegratedStep<Name>, 'memory'> {
    return this.#report;
  }

  /** The state for the next step. */
  get state(): IntegrationState {
    return this.#report.state;
  }

  /** Adds up the gradients, by variable name, whole tensors also among ranks. The caller owns them. */
  async sums(): Promise<ReadonlyMap<string, Tensor | null>> {
    const bag = this.#bag;
    const shapes = new Map(this.#variables.map(({ name, variable }) => [name, variable.shape]));
    const present = Array.from(this.combinations).flatMap(([name, combination]) => {
      if (combination === null) return [];
      const { rows, weights } = combination;
      // A single row of weight 1 is the gradient itself, unless the memory owns it.
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

  /** The result beside the gradients. The caller owns the memory in it from then on. */
  result(): IntegratedStep<Name> {
    const memory = this.#memory;
    this.#memory = null;
    return { ...this.#report, ...(memory === null ? {} : { memory }) };
  }

  /** Frees the rows, and the memory unless `result` handed it over. */
  dispose(): void {
    this.#bag.dispose();
    this.#memory?.dispose();
    this.#memory = null;
  }
}
