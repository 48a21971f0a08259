import { own } from '@multigrad/core/strategy';
import type { EpochRecord, RunResult, StepTime } from '../runs/records.ts';

/** A run that is about to begin. */
export interface RunPlan {
  readonly strategy: string;
  readonly seed: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
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

/** `multimodal 64.1 %, gray 71.0 %`; where there is no accuracy the first metric, or the loss: `depth error 0.123`. */
export function formatScores({ test }: EpochRecord): string {
  return Object.entries(test)
    .map(([name, scores]) => {
      const accuracy = own(scores, 'accuracy');
      if (accuracy !== undefined) return `${name} ${(100 * accuracy).toFixed(1)} %`;
      const metric = Object.keys(scores).find((one) => one !== 'loss') ?? 'loss';
      return `${name} ${metric} ${own(scores, metric)?.toPrecision(3) ?? ''}`;
    })
    .join(', ');
}

/** `61 ms per step`; nothing before the first step. */
export function formatStepTime({ plain, observed }: StepTime): string {
  if (plain !== null) return `${plain.toFixed(0)} ms per step`;
  return observed === null ? '' : `${observed.toFixed(0)} ms per observed step`;
}
