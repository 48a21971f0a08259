import { formatDuration } from './duration.ts';
import { type Progress, type RunPlan, formatAccuracies, formatLosses } from './progress.ts';

/** Progress as plain lines, one per epoch, for files and pipes. */
export function lineProgress(write: (line: string) => void): Progress {
  let runs = 0;
  let begun = 0;
  let current: RunPlan | undefined;
  const name = (): string => (current ? `${current.strategy}, seed ${current.seed}` : '');
  return {
    begin: (count) => {
      runs = count;
    },
    runBegin: (run) => {
      current = run;
      begun += 1;
      write(`[${begun}/${runs}] ${name()}: ${run.epochs} epochs of ${run.stepsPerEpoch} steps`);
    },
    step: () => undefined,
    evaluating: () => undefined,
    epochEnd: (record) => {
      const losses = Object.fromEntries(
        Object.entries(record.train).map(([objective, { loss }]) => [objective, loss]),
      );
      write(
        `  epoch ${record.epoch}/${current?.epochs ?? record.epoch}  ` +
          `training loss: ${formatLosses(losses)}  test accuracy: ${formatAccuracies(record)}  ` +
          `${record.stepTime.plain.toFixed(0)} ms per step`,
      );
    },
    runEnd: (result) => {
      const why = result.error ? `: ${result.error.message}` : '';
      write(
        `  ${result.status} after ${result.steps} steps in ${formatDuration(result.seconds)}${why}`,
      );
    },
    note: write,
    end: () => undefined,
  };
}
