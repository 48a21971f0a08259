import type { Json } from '../base/json.ts';
import { numberFromJson, numberToJson } from '../base/non-finite-json.ts';
import { own } from '../base/own.ts';

/** Losses and metrics by objective. */
export interface Measured<Name extends string = string> {
  readonly losses: Readonly<Partial<Record<Name, number>>>;
  readonly metrics: Readonly<Partial<Record<Name, Readonly<Record<string, number>>>>>;
}

/** Number of samples over which means are: one for all objectives, or one for each by name. */
export type SampleCounts = number | Readonly<Partial<Record<string, number>>>;

/** Means of losses and metrics over batches, weighted by their numbers of samples. */
export class Measurements {
  readonly #losses = new RunningMeans();
  readonly #metrics = new Map<string, RunningMeans>();

  /** Adds the losses and metrics of a batch, means over `samples` samples. */
  add({ losses, metrics }: Measured, samples: SampleCounts): void {
    const countOf = (name: string): number =>
      typeof samples === 'number' ? samples : (own(samples, name) ?? 0);
    // A mean over nothing may be NaN.
    for (const [name, loss] of Object.entries(losses)) {
      this.#losses.add(name, loss!, countOf(name));
    }
    for (const [name, own] of Object.entries(metrics)) {
      for (const [metric, value] of Object.entries(own!)) {
        this.#metricsOf(name).add(metric, value, countOf(name));
      }
    }
  }

  /** The means so far. */
  means<Name extends string>(): Measured<Name> {
    return {
      losses: Object.fromEntries(this.#losses.means()) as Measured<Name>['losses'],
      metrics: Object.fromEntries(
        Array.from(this.#metrics, ([name, own]) => [name, Object.fromEntries(own.means())]),
      ) as Measured<Name>['metrics'],
    };
  }

  /** Adds up the sums of several snapshots. */
  static sumOf(snapshots: readonly Json[]): Measurements {
    const all = new Measurements();
    const add = (means: RunningMeans, rows: readonly SumRow[]): void => {
      for (const [name, total, weight] of rows) {
        means.addSum(name, numberFromJson(total), weight);
      }
    };
    for (const snapshot of snapshots) {
      const { losses, metrics } = snapshot as unknown as Sums;
      add(all.#losses, losses);
      for (const [name, rows] of metrics) add(all.#metricsOf(name), rows);
    }
    return all;
  }

  /** The sums so far. */
  snapshot(): Json {
    const rows = (means: RunningMeans): Json =>
      means.sums().map(([name, total, weight]) => [name, numberToJson(total), weight]);
    return {
      losses: rows(this.#losses),
      metrics: Array.from(this.#metrics, ([name, own]) => [name, rows(own)]),
    };
  }

  /** Goes on from what `snapshot` returned. */
  static from(snapshot: Json): Measurements {
    const { losses, metrics } = snapshot as unknown as Sums;
    const measurements = new Measurements();
    restore(measurements.#losses, losses);
    for (const [name, rows] of metrics) restore(measurements.#metricsOf(name), rows);
    return measurements;
  }

  #metricsOf(name: string): RunningMeans {
    const means = this.#metrics.get(name) ?? new RunningMeans();
    this.#metrics.set(name, means);
    return means;
  }
}

type SumRow = readonly [string, number | string, number];

interface Sums {
  readonly losses: readonly SumRow[];
  readonly metrics: readonly (readonly [string, readonly SumRow[]])[];
}

function restore(means: RunningMeans, rows: readonly SumRow[]): void {
  for (const [name, total, weight] of rows) means.set(name, numberFromJson(total), weight);
}

/** Means of named numbers, weighted by the samples they stand for. */
export class RunningMeans {
  readonly #sums = new Map<string, { total: number; weight: number }>();

  /** Adds a mean over `weight` samples. A mean over none is left out. */
  add(name: string, value: number, weight: number): void {
    if (weight > 0) this.addSum(name, value * weight, weight);
  }

  /** Adds a sum that was made elsewhere. */
  addSum(name: string, total: number, weight: number): void {
    const sum = this.#sums.get(name) ?? { total: 0, weight: 0 };
    sum.total += total;
    sum.weight += weight;
    this.#sums.set(name, sum);
  }

  /** The means so far, in the order in which the names first came. */
  means(): Map<string, number> {
    return new Map(Array.from(this.#sums, ([name, { total, weight }]) => [name, total / weight]));
  }

  /** Sums and weights so far. */
  sums(): readonly (readonly [name: string, total: number, weight: number])[] {
    return Array.from(this.#sums, ([name, { total, weight }]) => [name, total, weight] as const);
  }

  /** Sets the sum and the weight of a name. */
  set(name: string, total: number, weight: number): void {
    this.#sums.set(name, { total, weight });
  }
}
