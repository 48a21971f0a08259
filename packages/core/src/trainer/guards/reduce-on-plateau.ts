import { checkKnownOptions, type OptionNames } from '../../base/known-options.ts';
import type { TrainerCallback } from '../callbacks.ts';
import type { LearningRate } from '../../update/learning-rate.ts';
import { checkCount } from '../check-options.ts';
import { fail, Monitor, monitorOptionNames, type MonitorOptions } from './monitor.ts';

/** Options of {@link reduceOnPlateau}. */
export interface ReduceOnPlateauOptions extends MonitorOptions {
  /** The rate at the beginning, a number > 0. */
  readonly rate: number;
  /** Factor on the rate at each reduction, a number in 0 … 1, both exclusive. @defaultValue 0.1 */
  readonly factor?: number;
  /** Epochs without a better value after which the rate is reduced, an integer >= 1. @defaultValue 10 */
  readonly patience?: number;
  /** Epochs after a reduction that are not counted, an integer >= 0. @defaultValue 0 */
  readonly cooldown?: number;
  /** The smallest rate, a number >= 0. @defaultValue 0 */
  readonly least?: number;
}

/** A callback with the learning-rate schedule that it changes. */
export interface ReduceOnPlateau extends TrainerCallback {
  /** The schedule, for the trainer's option `learningRate`. */
  readonly learningRate: LearningRate;
}

const optionNames: OptionNames<ReduceOnPlateauOptions> = {
  ...monitorOptionNames,
  rate: true,
  factor: true,
  patience: true,
  cooldown: true,
  least: true,
};

/**
 * Lowers the learning rate when a number has not become better for some epochs: `rate ← max(least, factor · rate)`.
 * Give its `learningRate` to the trainer and the callback itself to `fit`. Its state is part of checkpoints.
 *
 * @throws MultigradError `invalid-option`; during `fit` too, where the logs have no number of the name `monitor`
 *
 * @example
 * ```ts
 * import { reduceOnPlateau } from '@multigrad/core';
 *
 * const lower = reduceOnPlateau({ rate: 0.1, factor: 0.5, patience: 1, monitor: 'loss' });
 * await lower.onEpochEnd!(0, { loss: 1 });
 * await lower.onEpochEnd!(1, { loss: 2 });
 * console.log(lower.learningRate(0)); // 0.05
 * ```
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions): ReduceOnPlateau {
  checkKnownOptions('reduceOnPlateau', options, optionNames);
  const { rate: first, factor = 0.1, patience = 10, cooldown = 0, least = 0 } = options;
  if (!(Number.isFinite(first) && first > 0)) fail('rate', 'a finite number > 0', first);
  if (!(factor > 0 && factor < 1)) fail('factor', 'a number in 0 … 1, both exclusive', factor);
  if (!(least >= 0 && least <= first)) fail('least', `a number in 0 … ${first}`, least);
  checkCount('patience', patience, 1);
  checkCount('cooldown', cooldown, 0);
  const monitor = new Monitor(options);
  let rate = first;
  let cooling = 0;
  return {
    name: `learning rate on a plateau of ${monitor.name}`,
    learningRate: () => rate,
    onTrainBegin: () => {
      if (monitor.begin()) return;
      rate = first;
      cooling = 0;
    },
    onEpochEnd: (_, logs) => {
      const better = monitor.see(logs);
      if (cooling > 0) {
        cooling -= 1;
        monitor.rest();
      }
      if (better || monitor.waited < patience) return;
      rate = Math.max(least, factor * rate);
      cooling = cooldown;
      monitor.rest();
    },
    snapshot: () => ({ ...monitor.snapshot(), rate, cooling }),
    restore: (state) => {
      const seen = state as unknown as ReturnType<Monitor['snapshot']> & {
        readonly rate: number;
        readonly cooling: number;
      };
      monitor.restore(seen);
      ({ rate, cooling } = seen);
    },
  };
}
