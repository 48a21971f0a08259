import { dispose, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../../base/errors.ts';
import { checkKnownOptions, type OptionNames } from '../../base/known-options.ts';
import type { TrainerCallback } from '../callbacks.ts';
import { checkCount } from '../check-options.ts';
import { Monitor, monitorOptionNames, type MonitorOptions } from './monitor.ts';

/** Options of {@link earlyStopping}. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without a better value after which training ends, an integer >= 0. @defaultValue 5 */
  readonly patience?: number;
  /**
   * Whether `fit` ends with the weights and statistics of the best epoch. They are copied in memory, as much again as
   * the network takes. Training that is interrupted keeps its last weights, from which a later `fit` can resume.
   * @defaultValue false
   */
  readonly restoreBest?: boolean;
}

const optionNames: OptionNames<EarlyStoppingOptions> = {
  ...monitorOptionNames,
  patience: true,
  restoreBest: true,
};

/**
 * Ends training when a number has not become better for some epochs. The best value and the number of epochs since are
 * part of checkpoints; copies of the best weights are not: after a resume, `restoreBest` of `@multigrad/checkpoint`
 * reads them from the disk.
 *
 * @throws MultigradError `invalid-option`; during `fit` too, where the logs have no number of the name `monitor`;
 *   `unsupported` where a `fit` with `restoreBest` resumes after its best epoch, whose weights were lost with the process
 *
 * @example
 * ```ts
 * import { earlyStopping } from '@multigrad/core';
 *
 * const callbacks = [
 *   earlyStopping({ monitor: 'val_image_accuracy', mode: 'max', patience: 3, restoreBest: true }),
 * ];
 * console.log(callbacks[0]?.name); // early stopping on val_image_accuracy
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): TrainerCallback {
  checkKnownOptions('earlyStopping', options, optionNames);
  const { patience = 5, restoreBest = false } = options;
  checkCount('patience', patience, 0);
  const monitor = new Monitor(options);
  let variables: readonly Variable[] = [];
  let copies: Tensor[] = [];
  const isOver = (): boolean => monitor.waited > 0 && monitor.waited >= patience;
  const forget = (): void => {
    dispose(copies);
    copies = [];
  };
  return {
    name: `early stopping on ${monitor.name}`,
    onTrainBegin: (start) => {
      monitor.begin();
      ({ variables } = start);
      // A checkpoint may have been made before the end was asked for.
      if (isOver()) start.stop?.();
      if (!restoreBest || monitor.best === null) return;
      throw new MultigradError(
        'unsupported',
        `Option \`restoreBest\` needs the weights of the best epoch, with \`${monitor.name}\` ${monitor.best}. Found none: ` +
          'they were in the memory of the process that ended. Resume without it; `restoreBest` of `Checkpoints` reads them from the disk.',
      );
    },
    onEpochEnd: (_, logs) => {
      if (!monitor.see(logs) || !restoreBest) return;
      forget();
      copies = variables.map((variable) => variable.clone());
    },
    onSafePoint: ({ logs, stop }) => {
      if (logs !== null && isOver()) stop();
    },
    onTrainEnd: ({ stopped }) => {
      if (stopped !== undefined && !isOver()) return;
      copies.forEach((copy, index) => {
        variables[index]!.assign(copy);
      });
    },
    release: () => {
      forget();
      variables = [];
    },
    snapshot: () => monitor.snapshot(),
    restore: (state) => {
      monitor.restore(state as unknown as ReturnType<Monitor['snapshot']>);
    },
  };
}
