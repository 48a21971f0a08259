import { own } from '../base/own.ts';
import { MultigradError } from '../base/errors.ts';
import { fromFaithfulJson } from '../base/faithful-json.ts';
import type { Json } from '../base/json.ts';
import { HistoryRecorder, type TrainerCallback } from './callbacks.ts';
import { Measurements } from './measurements.ts';
import type { FitState } from './snapshot.ts';
import { callbackStateToJson } from './state-json.ts';

/** The position of a `fit`, and its history so far. */
export class FitProgress {
  epoch: number;
  /** Steps of the epoch that are done. */
  batch = 0;
  /** Steps of the epoch that were skipped. */
  skipped = 0;
  measurements: Measurements = new Measurements();
  readonly history: HistoryRecorder;
  readonly #callbacks: readonly TrainerCallback[];

  constructor(
    callbacks: readonly TrainerCallback[],
    epoch: number,
    history: HistoryRecorder = new HistoryRecorder(),
  ) {
    this.#callbacks = callbacks;
    this.epoch = epoch;
    this.history = history;
  }

  /** Begins an epoch. */
  begin(epoch: number): void {
    this.epoch = epoch;
    this.batch = 0;
    this.skipped = 0;
    this.measurements = new Measurements();
  }

  /** @param over - whether a callback decided that training is over */
  snapshot(over: boolean): FitState {
    const { epoch, batch, skipped } = this;
    return {
      epoch,
      batch,
      skipped,
      measurements: this.measurements.snapshot(),
      history: this.history.snapshot(),
      callbacks: Object.fromEntries(
        remembering(this.#callbacks).map(({ name, snapshot }) => [
          name,
          callbackStateToJson(name, snapshot()),
        ]),
      ),
      ...(over ? { over } : {}),
    };
  }

  /**
   * Resumes from a state, and restores the states of the callbacks.
   *
   * @param fewer - whether callbacks of the state may be missing here: the first of several ranks, which saved, may
   *   have more
   * @throws MultigradError `structure-changed` when the callbacks with a state are not those of the snapshot
   */
  static resume(
    state: FitState,
    callbacks: readonly TrainerCallback[],
    fewer = false,
  ): FitProgress {
    const those = remembering(callbacks);
    const here = those.map(({ name }) => name);
    const there = Object.keys(state.callbacks);
    const differences = [
      ...there
        .filter((name) => !fewer && !here.includes(name))
        .map((name) => `no callback \`${name}\` here`),
      ...here
        .filter((name) => !there.includes(name))
        .map((name) => `nothing of callback \`${name}\` there`),
    ];
    if (differences.length > 0) {
      throw new MultigradError(
        'structure-changed',
        `The callbacks should be those with which the training began. Found ${differences.join(', ')}.`,
      );
    }
    const progress = new FitProgress(callbacks, state.epoch, HistoryRecorder.from(state.history));
    progress.batch = state.batch;
    progress.skipped = state.skipped;
    progress.measurements = Measurements.from(state.measurements);
    for (const { name, restore } of those) {
      const kept = own(state.callbacks, name);
      if (kept !== undefined) restore(fromFaithfulJson(kept));
    }
    return progress;
  }
}

interface Remembering {
  readonly name: string;
  readonly snapshot: () => Json;
  readonly restore: (state: Json) => void;
}

/** The callbacks that have a state. @throws MultigradError `invalid-option` for a name that is missing or taken */
function remembering(callbacks: readonly TrainerCallback[]): Remembering[] {
  const names = new Set<string>();
  return callbacks.flatMap((callback) => {
    const { name } = callback;
    if (callback.snapshot === undefined && callback.restore === undefined) return [];
    if (callback.snapshot === undefined || callback.restore === undefined || name === undefined) {
      throw new MultigradError(
        'invalid-option',
        'A callback that remembers something should have a name, `snapshot` and `restore`. ' +
          `Found ${name === undefined ? 'no name' : `one of the two in \`${name}\``}.`,
      );
    }
    if (names.has(name)) {
      throw new MultigradError(
        'invalid-option',
        `Callbacks that remember something should have names of their own. Found \`${name}\` twice.`,
      );
    }
    names.add(name);
    return [
      { name, snapshot: () => callback.snapshot!(), restore: (state) => callback.restore!(state) },
    ];
  });
}
