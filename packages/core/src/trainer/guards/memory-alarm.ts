import { memory } from '@tensorflow/tfjs-core';
import { checkKnownOptions, type OptionNames } from '../../base/known-options.ts';
import type { TrainerCallback } from '../callbacks.ts';
import { checkCount } from '../check-options.ts';

/** Options of {@link memoryAlarm}. */
export interface MemoryAlarmOptions {
  /** Steps between two counts of tensors, an integer >= 1. @defaultValue 50 */
  readonly everySteps?: number;
  /** Counts in a row, each above the one before, that give a warning, an integer >= 2. @defaultValue 4 */
  readonly looks?: number;
  /** Called with the warning. */
  readonly onGrowth: (message: string) => void;
}

const optionNames: OptionNames<MemoryAlarmOptions> = {
  everySteps: true,
  looks: true,
  onGrowth: true,
};

/**
 * Warns once when the number of tensors that TensorFlow.js holds grew at each of several counts in a row: some code
 * keeps tensors that it should dispose of.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { memoryAlarm } from '@multigrad/core';
 *
 * const callbacks = [memoryAlarm({ onGrowth: (message) => console.warn(message) })];
 * console.log(callbacks.length); // 1
 * ```
 */
export function memoryAlarm(options: MemoryAlarmOptions): TrainerCallback {
  checkKnownOptions('memoryAlarm', options, optionNames);
  const { everySteps = 50, looks = 4, onGrowth } = options;
  checkCount('everySteps', everySteps, 1);
  checkCount('looks', looks, 2);
  let first = { tensors: 0, step: 0 };
  let last = Infinity;
  let grown = 0;
  let warned = false;
  return {
    // Count between two steps, within an epoch, when no tensor of a step or an evaluation is alive.
    onSafePoint: ({ step, logs }) => {
      if (warned || logs !== null || step % everySteps !== 0) return;
      const { numTensors } = memory();
      if (numTensors <= last) {
        grown = 0;
        first = { tensors: numTensors, step };
      } else grown += 1;
      last = numTensors;
      if (grown < looks) return;
      warned = true;
      const each = (numTensors - first.tensors) / (step - first.step);
      onGrowth(
        `TensorFlow.js holds more tensors from look to look: ${first.tensors} after step ${first.step}, ${numTensors} after step ${step}, ` +
          `${each.toPrecision(3)} more each step. Expected a constant number: look for tensors made outside of tf.tidy and not disposed of.`,
      );
    },
  };
}
