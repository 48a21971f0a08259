import type { AnalysisRecord } from '../runs/analysis-records.ts';
import type { EpochRecord, StepRecord } from '../runs/records.ts';
import { noWriter, type RunWriter } from '../runs/run-writer.ts';

/** A writer that keeps what it is given in lists. */
export interface CollectingWriter extends RunWriter {
  readonly epochs: EpochRecord[];
  readonly steps: StepRecord[];
  readonly analyses: AnalysisRecord[];
}

/** Makes a writer whose lists are empty. */
export function collectingWriter(): CollectingWriter {
  const [epochs, steps, analyses] = [
    [] as EpochRecord[],
    [] as StepRecord[],
    [] as AnalysisRecord[],
  ];
  const into =
    <T>(list: T[]) =>
    (record: T): Promise<void> => {
      list.push(record);
      return Promise.resolve();
    };
  return {
    ...noWriter,
    ...{ epochs, steps, analyses },
    epoch: into(epochs),
    step: into(steps),
    analysis: into(analyses),
  };
}
