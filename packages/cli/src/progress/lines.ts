import { formatDuration, formatLosses } from '@multigrad/callbacks/terminal';
import { formatCount } from '../shared/wording.ts';
import { type Progress, type RunPlan, formatScores, formatStepTime } from './progress.ts';

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
      write(
        `[${begun}/${runs}] ${name()}: ${formatCount(run.epochs, 'epoch')} of ${formatCount(run.stepsPerEpoch, 'step')}`,
      );
    },
    step: () => undefined,
    evaluating: () => undefined,
    epochEnd: (record) => {
      const losses = Object.fromEntries(
        Object.entries(record.train).map(([objective, { loss }]) => [objective, loss]),
      );
      write(
        `  epoch ${record.epoch}/${current?.epochs ?? record.epoch}  ` +
          `training loss: ${formatLosses(losses)}  test: ${formatScores(record, current?.metrics ?? {})}  ` +
          formatStepTime(record.stepTime),
      );
    },
    runEnd: (result) => {
      const why = result.error ? `: ${result.error.message}` : '';
      write(
        `  ${result.status} after ${formatCount(result.steps, 'step')} in ${formatDuration(result.seconds)}${why}`,
      );
    },
    note: write,
    end: () => undefined,
  };
}
