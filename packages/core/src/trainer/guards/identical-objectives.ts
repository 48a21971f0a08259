import { checkKnownOptions, type OptionNames } from '../../base/known-options.ts';
import type { TrainerCallback } from '../callbacks.ts';

/** Options of {@link identicalObjectives}. */
export interface IdenticalObjectivesOptions {
  /** Number of first steps at which losses have to be equal for a warning, an integer >= 1. @defaultValue 10 */
  readonly steps?: number;
  /** Called with the warning, once for each pair. */
  readonly onIdentical: (message: string) => void;
}

const optionNames: OptionNames<IdenticalObjectivesOptions> = {
  steps: true,
  onIdentical: true,
};

/**
 * Warns when two objectives had exactly the same loss at each of the first steps: one of them is likely a copy of the
 * other by mistake, and counts twice.
 *
 * @example
 * ```ts
 * import { identicalObjectives } from '@multigrad/core';
 *
 * const callbacks = [identicalObjectives({ onIdentical: (message) => console.warn(message) })];
 * console.log(callbacks.length); // 1
 * ```
 */
export function identicalObjectives(options: IdenticalObjectivesOptions): TrainerCallback {
  checkKnownOptions('identicalObjectives', options, optionNames);
  const { steps = 10, onIdentical } = options;
  const equal = new Map<string, { pair: readonly [string, string]; times: number }>();
  let seen = 0;
  return {
    onBatchEnd: (_, { losses }) => {
      if (seen === steps) return;
      seen += 1;
      const entries = Object.entries(losses);
      entries.forEach(([first, loss], k) => {
        for (const [second, other] of entries.slice(k + 1)) {
          if (loss !== other) continue;
          const key = JSON.stringify([first, second]);
          const times = 1 + (equal.get(key)?.times ?? 0);
          equal.set(key, { pair: [first, second], times });
        }
      });
      if (seen < steps) return;
      for (const { pair, times } of equal.values()) {
        if (times < steps) continue;
        onIdentical(
          `Objectives \`${pair[0]}\` and \`${pair[1]}\` had the same loss at each of ${steps} steps. Expected different ones: one may be a copy of the other.`,
        );
      }
    },
  };
}
