import { own } from '@multigrad/core/strategy';
import type { StepReport } from '@multigrad/core';
import type { Json } from '@multigrad/core/strategy';
import {
  assertShape,
  byName,
  count,
  fields,
  finite,
  list,
  measured,
  pair,
  type Shape,
  text,
} from './shape.ts';
import { median } from '../shared/statistics.ts';
import type {
  ConflictCount,
  EpochRecord,
  GroupRecord,
  ObjectiveScore,
  StepRecord,
  StepTime,
} from './records.ts';

/** A sum of what was measured, and how often it was. */
interface Sum {
  readonly sum: number;
  readonly count: number;
}

/** Sums of an objective's loss and metrics, by name. */
type Sums = Readonly<Record<string, Sum>>;

/** Sums of what steps measured, by objective. */
class Means {
  readonly #sums: Map<string, Sums>;

  constructor(sums: Iterable<readonly [string, Sums]> = []) {
    this.#sums = new Map(sums);
  }

  entries(): [string, Sums][] {
    return [...this.#sums];
  }

  add({ losses, metrics }: StepReport): void {
    for (const [name, loss] of Object.entries(losses)) {
      if (loss === undefined) continue;
      const before = this.#sums.get(name) ?? {};
      const values = Object.entries({ loss, ...own(metrics, name) });
      const added = values.map(([metric, value]): [string, Sum] => {
        const { sum, count } = own(before, metric) ?? { sum: 0, count: 0 };
        return [metric, { sum: sum + value, count: count + 1 }];
      });
      this.#sums.set(name, { ...before, ...Object.fromEntries(added) });
    }
  }

  scores(): Record<string, ObjectiveScore> {
    return Object.fromEntries(
      Array.from(this.#sums, ([name, sums]) => {
        const means = Object.entries(sums).map(([metric, { sum, count }]) => [metric, sum / count]);
        return [name, Object.fromEntries(means) as ObjectiveScore];
      }),
    );
  }
}

/** How often groups of two or more objectives were looked at, and found opposed. */
class Conflicts {
  readonly #counts: Map<string, ConflictCount>;

  constructor(counts: Readonly<Record<string, ConflictCount>> = {}) {
    this.#counts = new Map(Object.entries(counts));
  }

  add(key: string, seen: number, conflicting: number): void {
    const before = this.#counts.get(key) ?? { seen: 0, conflicting: 0 };
    this.#counts.set(key, {
      seen: before.seen + seen,
      conflicting: before.conflicting + conflicting,
    });
  }

  counts(): Record<string, ConflictCount> {
    return Object.fromEntries(this.#counts);
  }
}

function groupRecord(group: GroupRecord): GroupRecord {
  const { key, objectives, norms, cosines, weights, conflict, note, diagnostics } = group;
  return {
    key,
    objectives,
    norms,
    cosines,
    weights,
    conflict,
    ...(note === undefined ? {} : { note }),
    ...(diagnostics === undefined ? {} : { diagnostics }),
  };
}

interface RecorderState {
  readonly steps: number;
  readonly plain: readonly number[];
  readonly observed: readonly number[];
  readonly conflicts: Readonly<Record<string, ConflictCount>>;
  readonly epoch: {
    readonly number: number;
    readonly means: readonly (readonly [string, Sums | FirstSums])[];
    readonly conflicts: Readonly<Record<string, ConflictCount>>;
    readonly plain: number;
    readonly observed: number;
  };
}

const conflictShape = byName(fields({ seen: count, conflicting: count }));

/** Sums in checkpoints of the first versions, which knew one metric. */
interface FirstSums {
  readonly loss: number;
  readonly count: number;
  readonly accuracy: number;
  readonly judged: number;
}

const firstSums = fields({ loss: measured, accuracy: measured, count, judged: count });
const laterSums = byName(fields({ sum: measured, count }));
const sumsShape: Shape = (value, at) => (firstSums(value) === null ? null : laterSums(value, at));

function sumsOf(saved: Sums | FirstSums): Sums {
  if (firstSums(saved) !== null) return saved as Sums;
  const { loss, count, accuracy, judged } = saved as FirstSums;
  return {
    loss: { sum: loss, count },
    ...(judged > 0 ? { accuracy: { sum: accuracy, count: judged } } : {}),
  };
}

/** The shape of what `snapshot` returns: a checkpoint that somebody else made may hold something else. */
const stateShape = fields({
  steps: count,
  plain: list(finite),
  observed: list(finite),
  conflicts: conflictShape,
  epoch: fields({
    number: count,
    means: list(pair(text, sumsShape)),
    conflicts: conflictShape,
    plain: count,
    observed: count,
  }),
});

/** Turns the reports of a run's steps into the records that are kept of it. */
export class RunRecorder {
  readonly #every: number;
  #plain: number[] = [];
  #observed: number[] = [];
  #conflicts: Conflicts = new Conflicts();
  #epoch = { number: 1, means: new Means(), conflicts: new Conflicts(), plain: 0, observed: 0 };
  #steps = 0;

  /** @param every - keep every n-th step; 0 keeps none */
  constructor(every: number) {
    this.#every = every;
  }

  /** Training steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The epoch under way, from 1. */
  get epoch(): number {
    return this.#epoch.number;
  }

  /** Begins an epoch, counted from 0. */
  beginEpoch(epoch: number): void {
    this.#epoch = {
      number: epoch + 1,
      means: new Means(),
      conflicts: new Conflicts(),
      plain: this.#plain.length,
      observed: this.#observed.length,
    };
  }

  /** Takes in a step; returns its record where it is one of those that are kept. */
  step(report: StepReport, milliseconds: number): StepRecord | null {
    this.#steps += 1;
    (report.observed ? this.#observed : this.#plain).push(milliseconds);
    this.#epoch.means.add(report);
    for (const { key, objectives, conflict } of report.groups) {
      if (objectives.length < 2) continue;
      const seen = conflict === null ? 0 : 1;
      this.#conflicts.add(key, seen, conflict ? 1 : 0);
      this.#epoch.conflicts.add(key, seen, conflict ? 1 : 0);
    }
    if (this.#every === 0 || report.step % this.#every !== 0) return null;
    return {
      step: report.step,
      epoch: this.#epoch.number,
      milliseconds: hundredths(milliseconds),
      losses: Object.fromEntries(
        Object.entries(report.losses).filter(([, loss]) => loss !== undefined),
      ) as Record<string, number>,
      backwardPasses: report.backwardPasses,
      groups: report.groups.map(groupRecord),
    };
  }

  /** Ends an epoch with its scores on data that it was not trained on. */
  endEpoch(
    scores: Pick<EpochRecord, 'test' | 'validation' | 'without' | 'contribution'>,
    seconds: EpochRecord['seconds'],
  ): EpochRecord {
    const { number, means, conflicts, plain, observed } = this.#epoch;
    return {
      epoch: number,
      step: this.#steps,
      train: means.scores(),
      ...scores,
      conflicts: conflicts.counts(),
      stepTime: stepTime(this.#plain.slice(plain), this.#observed.slice(observed)),
      seconds,
    };
  }

  /** The recorder's state, for a checkpoint. */
  snapshot(): Json {
    const { number, means, conflicts, plain, observed } = this.#epoch;
    return {
      steps: this.#steps,
      plain: this.#plain.map(hundredths),
      observed: this.#observed.map(hundredths),
      conflicts: this.#conflicts.counts() as unknown as Json,
      epoch: {
        number,
        means: means.entries() as unknown as Json,
        conflicts: conflicts.counts() as unknown as Json,
        plain,
        observed,
      },
    };
  }

  /**
   * Goes on from what `snapshot` returned.
   *
   * @throws MultigradError `invalid-data` where it is something else
   */
  restore(state: Json): void {
    assertShape(state, stateShape, "The recorder's state in the checkpoint");
    const saved = state as unknown as RecorderState;
    this.#steps = saved.steps;
    this.#plain = [...saved.plain];
    this.#observed = [...saved.observed];
    this.#conflicts = new Conflicts(saved.conflicts);
    this.#epoch = {
      ...saved.epoch,
      means: new Means(saved.epoch.means.map(([name, sums]) => [name, sumsOf(sums)])),
      conflicts: new Conflicts(saved.epoch.conflicts),
    };
  }

  /** Time per step over the whole run. */
  stepTime(): StepTime {
    return stepTime(this.#plain, this.#observed);
  }

  /** Conflicts over the whole run. */
  conflicts(): Record<string, ConflictCount> {
    return this.#conflicts.counts();
  }
}

function stepTime(plain: readonly number[], observed: readonly number[]): StepTime {
  return {
    plain: plain.length > 0 ? median(plain) : null,
    observed: observed.length > 0 ? median(observed) : null,
  };
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
