import type { Variable } from '@tensorflow/tfjs-core';
import type { Json } from '../base/json.ts';
import { numberFromJson, numberToJson } from '../base/non-finite-json.ts';
import type { SnapshotOptions, TrainerSnapshot } from './snapshot.ts';
import type { StepReport } from './step-report.ts';

/**
 * Numbers by name: `loss`, `image_loss`, `image_accuracy`. Names of numbers over the validation data begin with `val_`.
 */
export type Logs = Readonly<Record<string, number>>;

/**
 * Watches training; every method may return a promise, which the trainer awaits.
 *
 * The names are those of `tf.LayersModel.fit`; `onBatchEnd` gets the step's report instead of bare logs. A `fit` that
 * resumes in the midst of an epoch does not call `onEpochBegin` for it again.
 */
export interface TrainerCallback<Name extends string = string> {
  /** Before the first step of a `fit`. */
  onTrainBegin?(start: FitStart): void | Promise<void>;
  /** Before the first batch of an epoch, numbered from 0. */
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** Before a step; batches are numbered from 0 in each epoch. */
  onBatchBegin?(batch: number): void | Promise<void>;
  /** After a step, with everything that was measured in it. */
  onBatchEnd?(batch: number, report: StepReport<Name>): void | Promise<void>;
  /**
   * After an epoch, validation included: further numbers for the epoch's logs, which the history and every callback then
   * have. A name that another number has is refused with `invalid-objective`.
   */
  onMeasure?(epoch: number): Logs | null | Promise<Logs | null>;
  /** After an epoch, validation included, with its means. */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /** After the last step of a `fit`. */
  onTrainEnd?(history: History): void | Promise<void>;
  /** Frees what it holds for this `fit`, such as tensors. Called last of all, also where `fit` ends in an error. */
  release?(): void;
  /**
   * Called after each step and after each epoch, once every callback has seen it: what `snapshot` returns is then
   * complete. Checkpoints are made here. Called once more, without logs, where a callback ended training at this
   * point: snapshots made before do not say so.
   */
  onSafePoint?(point: SafePoint): void | Promise<void>;
  /** Name of this callback's state in checkpoints; required with `snapshot`. */
  readonly name?: string;
  /** Returns the callback's state, for a checkpoint. */
  snapshot?(): Json;
  /** Takes over a state that `snapshot` returned; called before `onTrainBegin` of a `fit` that resumes. */
  restore?(state: Json): void;
}

/** The position from which a `fit` begins or resumes. */
export interface FitStart {
  /** Training steps made before. */
  readonly step: number;
  /** Number of the epoch that comes or is under way, from 0. */
  readonly epoch: number;
  /** Steps of that epoch made before; all of them where the end of the epoch had not been recorded. */
  readonly batch: number;
  /** Epochs in all: the option `epochs` of `fit`. */
  readonly epochs: number;
  /** The network's weights and statistics; a callback may set them between two steps. */
  readonly variables: readonly Variable[];
  /** Ends training before its next step: for callbacks whose restored state says that training is over. */
  readonly stop?: () => void;
}

/** A moment between two steps. */
export interface SafePoint {
  /** Training steps finished since the start. */
  readonly step: number;
  /** Number of the epoch under way, from 0. */
  readonly epoch: number;
  /** The epoch's logs where it has just ended, else null. */
  readonly logs: Logs | null;
  /**
   * Ends training for good: a `fit` that resumes from here makes no more steps. To interrupt training, call the
   * trainer's `stop` or abort the option `signal` instead.
   */
  readonly stop: () => void;
  /**
   * Makes a snapshot of everything that training carries from step to step. Its tensors are the trainer's and stay
   * valid until the next step. Among several ranks it returns a promise, and all ranks have to call it: see
   * `gatherSnapshot`.
   */
  readonly snapshot: (options?: SnapshotOptions) => TrainerSnapshot | Promise<TrainerSnapshot>;
  /** How many ranks train together; 1 for a process by itself. */
  readonly ranks?: number;
}

/** The losses and metrics of a `fit`, epoch by epoch. */
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

  /** Continues the history that `snapshot` returned. */
  static from(snapshot: Json): HistoryRecorder {
    const { epochs, columns } = snapshot as unknown as {
      readonly epochs: readonly number[];
      readonly columns: readonly (readonly [string, readonly Json[]])[];
    };
    const recorder = new HistoryRecorder();
    recorder.#epochs.push(...epochs);
    for (const [name, values] of columns) recorder.#columns.set(name, values.map(numberFromJson));
    return recorder;
  }

  /** The history so far, as JSON that {@link HistoryRecorder.from} takes. */
  snapshot(): Json {
    return {
      epochs: [...this.#epochs],
      columns: Array.from(this.#columns, ([name, values]) => [name, values.map(numberToJson)]),
    };
  }

  /** Adds the logs of an epoch. An epoch that lacks a log has NaN there. */
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

  /** The history so far, as `fit` returns it. */
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
