import { own } from '@multigrad/core/strategy';
import type { Experiment } from '@multigrad/experiment';
import type { EpochRecord, RunResult, StepTime } from '../runs/records.ts';

/** A run that is about to begin. */
export interface RunPlan {
  readonly strategy: string;
  readonly seed: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** The experiment's metrics, in the order in which one of each objective is chosen to be shown. */
  readonly metrics: Experiment['metrics'];
}

/** The progress of a run after a training step. */
export interface StepProgress {
  /** Steps of this run so far. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  readonly losses: Readonly<Record<string, number>>;
}

/** Shows a person how a comparison goes: bars on a terminal, lines elsewhere. */
export interface Progress {
  /** @param runs - how many runs are left to do */
  begin(runs: number): void;
  runBegin(run: RunPlan): void;
  step(step: StepProgress): void;
  evaluating(): void;
  epochEnd(record: EpochRecord): void;
  runEnd(result: RunResult): void;
  /** Writes a line that stays, such as on an interruption. */
  note(text: string): void;
  /** Removes the bars; the last call. */
  end(): void;
}

/**
 * The first metric of each objective, as `multimodal 64.1 %` for an accuracy and `depth absolute error 0.123` for another; its
 * loss where it has none.
 */
export function formatScores({ test }: EpochRecord, metrics: RunPlan['metrics']): string {
  return Object.entries(test)
    .map(([objective, scores]) => {
      const shown = Object.entries(metrics).find(([, one]) => one.objectives.includes(objective));
      if (shown === undefined) return `${objective} loss ${scores.loss.toPrecision(3)}`;
      const [name, { title, unit }] = shown;
      const value = own(scores, name);
      if (value === undefined) return `${objective} ${title} –`;
      const words = name === 'accuracy' ? objective : `${objective} ${title}`;
      return unit === '%'
        ? `${words} ${(100 * value).toFixed(1)} %`
        : `${words} ${value.toPrecision(3)}${unit === '' ? '' : ` ${unit}`}`;
    })
    .join(', ');
}

/** `61 ms per step`; nothing before the first step. */
export function formatStepTime({ plain, observed }: StepTime): string {
  if (plain !== null) return `${plain.toFixed(0)} ms per step`;
  return observed === null ? '' : `${observed.toFixed(0)} ms per observed step`;
}
