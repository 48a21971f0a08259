import type { CompilationReport } from '@multigrad/core';
import type { AnalysisRecord } from './analysis-records.ts';
import type { ContributionRecord } from './contribution-record.ts';
import type { Run } from './run-names.ts';

/**
 * How one objective did on a data set: its mean loss, in nats for cross-entropy, and its metrics by name. `accuracy` is the share
 * of right answers, 0 to 1.
 */
export type ObjectiveScore = { readonly loss: number } & Readonly<Record<string, number>>;

/** At how many steps a group's gradients were seen, and at how many of those two of them pointed against each other. */
export interface ConflictCount {
  readonly seen: number;
  readonly conflicting: number;
}

/** Time per training step, in milliseconds. */
export interface StepTime {
  /** Median over the steps without further backward passes for diagnostics; null where there was none. */
  readonly plain: number | null;
  /** Median over the steps with further backward passes for diagnostics alone; null where there was none. */
  readonly observed: number | null;
}

/** One line of `epochs.jsonl`: what is known at the end of an epoch. */
export interface EpochRecord {
  /** Epochs finished, from 1. */
  readonly epoch: number;
  /** Training steps finished since the start. */
  readonly step: number;
  /** Means over the epoch's training steps, by objective. */
  readonly train: Readonly<Record<string, ObjectiveScore>>;
  /** On the validation set, by objective; absent where there is none. */
  readonly validation?: Readonly<Record<string, ObjectiveScore>>;
  /** On the whole test set, by objective. */
  readonly test: Readonly<Record<string, ObjectiveScore>>;
  /**
   * On the test set with one modality set to zero, by modality and objective: after the last epoch, or after each where
   * the best is selected; absent where none can be missing.
   */
  readonly without?: Readonly<Record<string, Readonly<Record<string, ObjectiveScore>>>>;
  /** What each modality contributes, on the test set; absent where that was not asked for after this epoch. */
  readonly contribution?: ContributionRecord;
  /** By group, for groups of two or more objectives. */
  readonly conflicts: Readonly<Record<string, ConflictCount>>;
  readonly stepTime: StepTime;
  /** Wall time of the epoch's training and of its evaluation, in seconds. */
  readonly seconds: { readonly training: number; readonly evaluation: number };
}

/** What a step did to one parameter group. */
export interface GroupRecord {
  readonly key: string;
  readonly objectives: readonly string[];
  /** Gradient norms, one for each objective; null where the step did not look at them. */
  readonly norms: readonly number[] | null;
  /** Cosines between the objectives' gradients; null where the step did not look at them. */
  readonly cosines: readonly (readonly number[])[] | null;
  readonly weights: readonly number[];
  readonly conflict: boolean | null;
  readonly note?: string;
  readonly diagnostics?: Readonly<Record<string, number>>;
}

/** One line of `steps.jsonl`: a sampled training step. */
export interface StepRecord {
  /** Number of the step, from 0. */
  readonly step: number;
  readonly epoch: number;
  /** Wall time in milliseconds. */
  readonly milliseconds: number;
  readonly losses: Readonly<Record<string, number>>;
  /** Backward passes that the step took. */
  readonly backwardPasses: number;
  readonly groups: readonly GroupRecord[];
}

/**
 * How a run ended. `finished` runs are never repeated, nor are those `refused` by a strategy that does not suit the
 * experiment, before its first step; the others are, when their folder is used again.
 */
export type RunStatus = 'finished' | 'refused' | 'stopped' | 'failed';

/** Lines of each file of records; each line says its number, from 0, so that gaps are seen. */
export interface LineCounts {
  readonly epochs: number;
  readonly steps: number;
  readonly analysis: number;
}

/** `result.json`: written once, when a run ends. */
export interface RunResult {
  readonly status: RunStatus;
  /** Why, for a run that failed or was refused. */
  readonly error?: { readonly code: string; readonly message: string; readonly stack?: string };
  readonly epochs: number;
  readonly steps: number;
  readonly stepTime: StepTime;
  readonly conflicts: Readonly<Record<string, ConflictCount>>;
  /** Wall time of the whole run, in seconds. */
  readonly seconds: number;
  /** The TensorFlow.js backend that did the work. */
  readonly backend: string;
  /**
   * Why threads of the wasm backend were lost, a line for each, from the start of the program to the end of the run; absent
   * where none was. Results are the same without them; steps take longer.
   */
  readonly lostThreads?: readonly string[];
  /** How the backward passes of the run's steps were made; absent in folders of before it was recorded. */
  readonly compilation?: CompilationReport;
  /** ISO 8601. */
  readonly endedAt: string;
  /** What the run has written into the other files. */
  readonly lines: LineCounts;
  /** What the ranks told each other, for a run of several. */
  readonly communication?: CommunicationRecord;
}

/** What rank 0 exchanged with the others since it was started. */
export interface CommunicationRecord {
  readonly ranks: number;
  /** Steps in which it was exchanged. */
  readonly steps: number;
  /** Bytes handed to the exchanges in these steps: gradients, weights, and all else. */
  readonly bytes: Readonly<Record<'gradients' | 'weights' | 'control', number>>;
  /** Seconds in the exchanges, waiting for slower ranks included. */
  readonly seconds: number;
  /** Seconds in all, evaluation included. */
  readonly of: number;
}

/** One run as its folder holds it; `result` is null where the program died before it could write one. */
export interface RunRecord extends Run {
  readonly epochs: readonly EpochRecord[];
  readonly steps: readonly StepRecord[];
  /** What `multigrad analyze` has seen; nothing of other runs. */
  readonly analysis: readonly AnalysisRecord[];
  readonly result: RunResult | null;
  /** Lines that a disk lost, a sentence for each file. */
  readonly gaps: readonly string[];
}
