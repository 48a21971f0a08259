import { MultigradError } from '../../base/errors.ts';
import type { Json } from '../../base/json.ts';
import type { TrainerCallback } from '../callbacks.ts';
import { numberFromJson, numberToJson } from '../../base/non-finite-json.ts';
import { monitored } from './monitored.ts';

/** When training is no longer worth its time. */
export interface EarlyStoppingOptions {
  /** Name of the logs to watch. @defaultValue `'val_loss'` */
  readonly monitor?: string;
  /** Whether small or large values are good. @defaultValue `'min'` */
  readonly mode?: 'min' | 'max';
  /** Epochs without a better value that are waited for, an integer >= 0. @defaultValue 5 */
  readonly patience?: number;
  /** By how much a value must be better to count. @defaultValue 0 */
  readonly minDelta?: number;
}

/**
 * Ends training when a number has not become better for some epochs. What it has seen is part of checkpoints.
 *
 * @throws MultigradError `invalid-option`; during `fit` too, where the logs have no number of the name `monitor`
 *
 * @example
 * ```ts
 * import { earlyStopping } from '@multigrad/core';
 *
 * const callbacks = [earlyStopping({ monitor: 'val_image_accuracy', mode: 'max', patience: 3 })];
 * console.log(callbacks[0]?.name); // early stopping on val_image_accuracy
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): TrainerCallback {
  const { monitor = 'val_loss', mode = 'min', patience = 5, minDelta = 0 } = options;
  if (!Number.isInteger(patience) || patience < 0) {
    throw new MultigradError(
      'invalid-option',
      `Option \`patience\` should be an integer >= 0. Found ${patience}.`,
    );
  }
  const sign = mode === 'min' ? 1 : -1;
  let best = Infinity;
  let waited = 0;
  const isOver = (): boolean => waited > 0 && waited >= patience;
  return {
    name: `early stopping on ${monitor}`,
    // A checkpoint may have been made before the end was asked for.
    onTrainBegin: ({ stop }) => {
      if (isOver()) stop?.();
    },
    onEpochEnd: (_, logs) => {
      const value = sign * monitored(logs, monitor);
      if (value < best - minDelta) {
        best = value;
        waited = 0;
      } else waited += 1;
    },
    onSafePoint: ({ logs, stop }) => {
      if (logs !== null && isOver()) stop();
    },
    snapshot: () => ({ best: numberToJson(best), waited }),
    restore: (state) => {
      const seen = state as { readonly best: Json; readonly waited: number };
      best = numberFromJson(seen.best);
      ({ waited } = seen);
    },
  };
}
