import type { StepReport } from './step-report.ts';

/** Numbers by name: `loss`, `image_loss`, `image_accuracy`, and with `val_` before them those of the validation data. */
export type Logs = Readonly<Record<string, number>>;

/**
 * Watches training; every method may return a promise, which the trainer awaits.
 *
 * The names are those of `tf.LayersModel.fit`; `onBatchEnd` gets the step's report instead of bare logs.
 */
export interface TrainerCallback<Name extends string = string> {
  onTrainBegin?(): void | Promise<void>;
  onEpochBegin?(epoch: number): void | Promise<void>;
  onBatchBegin?(batch: number): void | Promise<void>;
  onBatchEnd?(batch: number, report: StepReport<Name>): void | Promise<void>;
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  onTrainEnd?(history: History): void | Promise<void>;
}

/** What `fit` measured, epoch by epoch. */
export interface History {
  /** Numbers of the epochs that ended, from 0. */
  readonly epoch: readonly number[];
  /** For each name of the logs, one number per epoch; NaN where an epoch did not measure it. */
  readonly history: Readonly<Record<string, readonly number[]>>;
  /** Why training ended before its last epoch: the signal was aborted, or a callback asked for it. */
  readonly stopped?: 'aborted' | 'requested';
}

/** Collects logs into a history. */
export class HistoryRecorder {
  readonly #epochs: number[] = [];
  readonly #columns = new Map<string, number[]>();

  record(epoch: number, logs: Logs): void {
    for (const [name, value] of Object.entries(logs)) {
      const column = this.#columns.get(name) ?? this.#epochs.map(() => NaN);
      column.push(value);
      this.#columns.set(name, column);
    }
    this.#epochs.push(epoch);
    for (const column of this.#columns.values()) {
      if (column.length < this.#epochs.length) column.push(NaN);
    }
  }

  history(stopped?: 'aborted' | 'requested'): History {
    return {
      epoch: [...this.#epochs],
      history: Object.fromEntries(
        Array.from(this.#columns, ([name, values]) => [name, [...values]]),
      ),
      ...(stopped === undefined ? {} : { stopped }),
    };
  }
}
