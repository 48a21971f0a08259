import { add, mul, type Tensor, tidy, type Variable, variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';

/** How an average of weights is taken. */
export interface AverageOptions {
  /** Share of the past in each step, in [0, 1): the average looks back over about `1 / (1 − decay)` steps. */
  readonly decay: number;
}

/**
 * Exponential moving average of weights: `a ← d a + (1 − d) w` after each step with `d = min(decay, (1 + t) / (10 + t))`,
 * t counting steps from 0, so that the first steps are soon forgotten.
 */
export class WeightAverage {
  readonly #decay: number;
  readonly #averages = new Map<string, Variable>();
  readonly #variables: ReadonlyMap<string, Variable>;
  #steps = 0;

  constructor({ decay }: AverageOptions, variables: ReadonlyMap<string, Variable>) {
    if (!(decay >= 0 && decay < 1)) {
      throw new MultigradError(
        'invalid-option',
        `Option \`average.decay\` should be a number in [0, 1). Found ${decay}.`,
      );
    }
    this.#decay = decay;
    this.#variables = variables;
  }

  /** Steps averaged over. */
  get steps(): number {
    return this.#steps;
  }

  /** The averages by name; none before the first step. They change with each step. */
  get tensors(): ReadonlyMap<string, Tensor> {
    return this.#averages;
  }

  /** Takes in the weights after a step. */
  update(): void {
    const decay = Math.min(this.#decay, (1 + this.#steps) / (10 + this.#steps));
    for (const [name, weights] of this.#variables) {
      const average = this.#averages.get(name);
      if (average === undefined) this.#averages.set(name, copyOf(weights));
      else tidy(() => average.assign(add(mul(average, decay), mul(weights, 1 - decay))));
    }
    this.#steps += 1;
  }

  /** Goes on from averages made earlier; they stay the caller's. */
  restore(steps: number, averages: ReadonlyMap<string, Tensor>): void {
    this.dispose();
    this.#steps = steps;
    for (const [name, average] of averages) this.#averages.set(name, copyOf(average));
  }

  dispose(): void {
    for (const average of this.#averages.values()) average.dispose();
    this.#averages.clear();
    this.#steps = 0;
  }
}

function copyOf(value: Tensor): Variable {
  return tidy(() => variable(value, false));
}
