import { MultigradError } from '../../base/errors.ts';
import { checkKnownOptions, type OptionNames } from '../../base/known-options.ts';
import type { Json } from '../../base/json.ts';
import type { TrainerCallback } from '../callbacks.ts';

/** Options of {@link divergenceGuard}. */
export interface DivergenceGuardOptions {
  /** Multiple of its smallest mean above which an objective's mean loss has diverged; a number > 1. @defaultValue 10 */
  readonly factor?: number;
  /** Steps over which losses are averaged, an integer >= 1. @defaultValue 20 */
  readonly window?: number;
  /** Number added to the smallest mean, so that losses near zero may vary; >= 0. @defaultValue 1e-3 */
  readonly slack?: number;
}

interface Watched {
  mean: number;
  smallest: number;
  steps: number;
}

const optionNames: OptionNames<DivergenceGuardOptions> = {
  factor: true,
  window: true,
  slack: true,
};

/**
 * Ends training with an error when an objective's loss has grown far beyond the smallest that it had: moving averages
 * over about `window` steps are compared, `mean > factor · (smallest + slack)`.
 *
 * It is for losses that are not negative. Its means are part of checkpoints.
 *
 * @throws MultigradError `invalid-option`; during `fit` `diverged`, naming objective and step
 *
 * @example
 * ```ts
 * import { divergenceGuard } from '@multigrad/core';
 *
 * console.log(divergenceGuard({ factor: 5 }).name); // divergence guard
 * ```
 */
export function divergenceGuard(options: DivergenceGuardOptions = {}): TrainerCallback {
  checkKnownOptions('divergenceGuard', options, optionNames);
  const { factor = 10, window = 20, slack = 1e-3 } = options;
  if (!(factor > 1)) fail('factor', 'a number > 1', factor);
  if (!(Number.isInteger(window) && window >= 1)) fail('window', 'an integer >= 1', window);
  if (!(slack >= 0)) fail('slack', 'a number >= 0', slack);
  let watched = new Map<string, Watched>();
  return {
    name: 'divergence guard',
    onBatchEnd: (_, { losses, step }) => {
      for (const [name, loss] of Object.entries(losses)) {
        const before = watched.get(name) ?? { mean: 0, smallest: Infinity, steps: 0 };
        const steps = before.steps + 1;
        const mean = before.mean + (loss! - before.mean) / Math.min(steps, window);
        // The first few values are too few for a mean.
        const smallest = steps < window ? Infinity : Math.min(before.smallest, mean);
        watched.set(name, { mean, smallest, steps });
        if (mean <= factor * (smallest + slack)) continue;
        throw new MultigradError(
          'diverged',
          `The loss of objective \`${name}\` should stay below ${factor} times its smallest mean, ${smallest.toPrecision(4)}. ` +
            `Found a mean of ${mean.toPrecision(4)} over ${window} steps at step ${step}: check the learning rate.`,
        );
      }
    },
    snapshot: () =>
      Array.from(watched, ([name, { mean, smallest, steps }]) => [
        name,
        mean,
        Number.isFinite(smallest) ? smallest : null,
        steps,
      ]),
    restore: (state: Json) => {
      const rows = state as readonly (readonly [string, number, number | null, number])[];
      watched = new Map(
        rows.map(([name, mean, smallest, steps]) => [
          name,
          { mean, smallest: smallest ?? Infinity, steps },
        ]),
      );
    },
  };
}

function fail(name: string, expected: string, found: number): never {
  throw new MultigradError(
    'invalid-option',
    `Option \`${name}\` should be ${expected}. Found ${found}.`,
  );
}
