import { add, mul, type Tensor, tidy, type Variable, variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { checkKnownOptions } from '../base/known-options.ts';

/** Options of an average of weights. */
export interface AverageOptions {
  /** Share of the old average that is kept at each step, in [0, 1): an average over about the last `1 / (1 − decay)` steps. */
  readonly decay: number;
}

/**
 * Exponential moving average of weights: `a ← d a + (1 − d) w` after each step with `d = min(decay, (1 + t) / (10 + t))`,
 * t counting steps from 0. The smaller d of the first steps lets the average leave the initial weights soon.
 */
export class WeightAverage {
  readonly #decay: number;
  readonly #averages = new Map<string, Variable>();
  readonly #variables: ReadonlyMap<string, Variable>;
  #steps = 0;

  constructor(options: AverageOptions, variables: ReadonlyMap<string, Variable>) {
    checkKnownOptions('average', options, { decay: true });
    const { decay } = options;
    if (!(decay >= 0 && decay < 1)) {
      throw new MultigradError(
        'invalid-option',
        `Option \`average.decay\` should be a number in [0, 1). Found ${decay}.`,
      );
    }
    this.#decay = decay;
    this.#variables = variables;
  }

  /** Number of steps in the average. */
  get steps(): number {
    return this.#steps;
  }

  /** The averages by name; none before the first step. They change with each step. */
  get tensors(): ReadonlyMap<string, Tensor> {
    return this.#averages;
  }

  /** Adds the weights after a step to the average. */
  update(): void {
    const decay = Math.min(this.#decay, (1 + this.#steps) / (10 + this.#steps));
    for (const [name, weights] of this.#variables) {
      const average = this.#averages.get(name);
      if (average === undefined) this.#averages.set(name, copyOf(weights));
      else tidy(() => average.assign(add(mul(average, decay), mul(weights, 1 - decay))));
    }
    this.#steps += 1;
  }

  /** Replaces the averages by earlier ones, which stay the caller's. */
  restore(steps: number, averages: ReadonlyMap<string, Tensor>): void {
    this.dispose();
    this.#steps = steps;
    for (const [name, average] of averages) this.#averages.set(name, copyOf(average));
  }

  /** Frees the averages. The next update starts new ones. */
  dispose(): void {
    for (const average of this.#averages.values()) average.dispose();
    this.#averages.clear();
    this.#steps = 0;
  }
}

function copyOf(value: Tensor): Variable {
  return tidy(() => variable(value, false));
}
