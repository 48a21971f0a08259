import type { ComparisonConfig } from '../runs/config.ts';
import type { EpochRecord, RunRecord } from '../runs/records.ts';
import type { ShownMetric } from './shown-metric.ts';
import type { Estimate } from '../shared/statistics.ts';
import type { PairedTest } from './paired-test.ts';

/** One strategy's line of the results. */
export interface SummaryRow {
  /** The strategy's specifier. */
  readonly strategy: string;
  /** What tables and charts call it. */
  readonly title: string;
  /** The seeds that the figures are taken over. */
  readonly seeds: readonly number[];
  /** Whether no run of it has finished, so that the figures are of runs cut short. */
  readonly unfinished: boolean;
  /** Learning rate that the figures are taken at. */
  readonly lr: number;
  /** What is shown of each objective, on the test set after the chosen epoch, not scaled. */
  readonly score: Readonly<Record<string, Estimate | null>>;
  /** What is shown of the joint objective, with a modality set to zero, by modality. */
  readonly without: Readonly<Record<string, Estimate | null>>;
  /** Δm in percent against the strategies that train on each objective alone; null where these have not been run. */
  readonly relativeGain: Estimate | null;
  /** Mean over objectives of the rank, 1 for the best of all rows; null for one row. */
  readonly meanRank: number | null;
  /** Hypervolume of the scores of all seeds together, over the origin; null where scores are not all shares of which more is better. */
  readonly hypervolume: number | null;
  /** Difference of what is shown to the reference strategy, seed by seed, by objective; null for the reference itself. */
  readonly difference: Readonly<Record<string, PairedTest | null>>;
  /** Where it stands beside the best strategy, by objective; null where one seed, or none, was measured. */
  readonly standing: Readonly<Record<string, Standing | null>>;
  /** Median time of a plain training step, in milliseconds. */
  readonly stepTime: Estimate | null;
  /** Median time of a step with further backward passes for diagnostics, in milliseconds. */
  readonly observedStepTime: Estimate | null;
  /** Share of the steps looked at in which two objectives' gradients were opposed, by group. */
  readonly conflictRate: Readonly<Record<string, Estimate | null>>;
  /** Training steps of a run; the largest, where runs differ. */
  readonly steps: number;
}

/** Beside the best of all: the best itself, not distinguishable from it, or behind it. */
export type Standing = 'best' | 'close' | 'behind';

/** The results of a comparison, ready for tables and charts. */
export interface Summary {
  readonly config: ComparisonConfig;
  /** Objectives in the order of the experiment. */
  readonly objectives: readonly string[];
  /** What is shown of each objective. */
  readonly metrics: ReadonlyMap<string, ShownMetric>;
  /** Keys of the groups that two or more objectives reach. */
  readonly groups: readonly string[];
  readonly rows: readonly SummaryRow[];
  /** Modalities that the joint objective was also measured without. */
  readonly modalities: readonly string[];
  /** What tables and charts call each strategy of the configuration, by its specifier. */
  readonly titles: ReadonlyMap<string, string>;
  /** The strategy that differences are taken to: `sum` where it was run, else the first. */
  readonly reference: string;
  /** The runs behind the rows: finished ones, or for a strategy without any, those cut short. */
  readonly shown: readonly ShownRun[];
  /** Sentences on runs that are missing, failed or cut short. */
  readonly notes: readonly string[];
  /** Labels whose balancing method changed nothing in this training. */
  readonly withoutEffect: readonly string[];
}

/** A run with the epoch whose figures tables show. */
export interface ShownRun extends RunRecord {
  readonly epoch: EpochRecord | null;
}

/** The figures of a strategy that need no other strategy. */
export type OwnFigures = Omit<SummaryRow, 'relativeGain' | 'meanRank' | 'difference' | 'standing'>;
