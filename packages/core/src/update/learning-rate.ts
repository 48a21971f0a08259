import { MultigradError } from '../base/errors.ts';
import { checkKnownOptions } from '../base/known-options.ts';
import { type AnyOptimizer, isResumable } from '../optimizers/optimizer.ts';

/** A learning-rate schedule: the rate of each step, counted from 0. */
export type LearningRate = (step: number) => number;

/**
 * Makes a learning-rate schedule that falls by a factor every `every` steps: `rate · factor^⌊step / every⌋`.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { stepDecay } from '@multigrad/core';
 *
 * const rate = stepDecay({ rate: 0.1, every: 100, factor: 0.5 });
 * console.log(rate(99), rate(100)); // 0.1 0.05
 * ```
 */
export function stepDecay(options: {
  readonly rate: number;
  readonly every: number;
  readonly factor: number;
}): LearningRate {
  checkKnownOptions('stepDecay', options, { rate: true, every: true, factor: true });
  const { rate, every, factor } = options;
  checkPositive('rate', rate);
  checkSteps('every', every);
  checkPositive('factor', factor);
  return (step) => rate * factor ** Math.floor(step / every);
}

/**
 * Makes a learning-rate schedule that falls along half a cosine: `end + (rate − end) (1 + cos(π step / steps)) / 2`, and stays at `end`.
 *
 * @see Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR 2017, equation 5
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { cosineDecay } from '@multigrad/core';
 *
 * const rate = cosineDecay({ rate: 0.1, steps: 100 });
 * console.log(rate(0), rate(50), rate(100)); // 0.1 0.05 0
 * ```
 */
export function cosineDecay(options: {
  readonly rate: number;
  readonly steps: number;
  /** @defaultValue 0 */
  readonly end?: number;
}): LearningRate {
  checkKnownOptions<object>('cosineDecay', options, { rate: true, steps: true, end: true });
  const { rate, steps, end = 0 } = options;
  checkPositive('rate', rate);
  checkSteps('steps', steps);
  if (!(end >= 0 && end <= rate)) fail('end', `a number in 0 … ${rate}`, end);
  return (step) => end + ((rate - end) * (1 + Math.cos(Math.PI * Math.min(1, step / steps)))) / 2;
}

/**
 * Makes a learning-rate schedule that rises in a straight line over the first steps, `rate(step) (step + 1) / steps`, then follows another schedule.
 *
 * @param after - a constant rate, or a schedule whose step 0 is the run's
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { cosineDecay, warmUp } from '@multigrad/core';
 *
 * const rate = warmUp(10, cosineDecay({ rate: 0.1, steps: 100 }));
 * console.log(rate(0) < rate(9), rate(100)); // true 0
 * ```
 */
export function warmUp(steps: number, after: number | LearningRate): LearningRate {
  checkSteps('steps', steps);
  const rate = typeof after === 'number' ? () => after : after;
  return (step) => rate(step) * Math.min(1, (step + 1) / steps);
}

/** Returns the rate of a step. @throws MultigradError `invalid-option` where a schedule returns no number >= 0 */
export function rateAt(rate: number | LearningRate, step: number): number {
  const value = typeof rate === 'number' ? rate : rate(step);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new MultigradError(
    'invalid-option',
    `Option \`learningRate\` should give a finite number >= 0 for each step. Found ${value} for step ${step}.`,
  );
}

/** The learning rate that an optimizer has now; null where it has no `learningRate`. */
export function rateOf(optimizer: AnyOptimizer): number | null {
  const rate = (optimizer as { readonly learningRate?: unknown }).learningRate;
  return typeof rate === 'number' ? rate : null;
}

/** Sets the learning rate of an optimizer. @throws MultigradError `unsupported` where it cannot be set */
export function setRate(optimizer: AnyOptimizer, rate: number): void {
  if (rateOf(optimizer) === rate) return;
  const settable = optimizer as Partial<Record<'setLearningRate', (rate: number) => void>>;
  if (settable.setLearningRate !== undefined) settable.setLearningRate(rate);
  else if (rateOf(optimizer) !== null && !isResumable(optimizer)) {
    // TensorFlow.js's adaptive optimizers have no such method; they read it at each step.
    (optimizer as unknown as { learningRate: number }).learningRate = rate;
  } else {
    throw new MultigradError(
      'unsupported',
      'A learning-rate schedule needs a TensorFlow.js optimizer, or one with `setLearningRate`.',
    );
  }
}

function checkPositive(name: string, value: number): void {
  if (!(Number.isFinite(value) && value > 0)) fail(name, 'a finite number > 0', value);
}

function checkSteps(name: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1)) fail(name, 'an integer >= 1', value);
}

function fail(name: string, expected: string, found: number): never {
  throw new MultigradError(
    'invalid-option',
    `Option \`${name}\` of a learning-rate schedule should be ${expected}. Found ${found}.`,
  );
}
