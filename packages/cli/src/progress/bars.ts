import type { WriteStream } from 'node:tty';
import { MultiBar } from 'cli-progress';
import type picocolors from 'picocolors';
import { cutText, drawBar, formatDuration, formatLosses } from '@multigrad/callbacks/terminal';
import { visible } from '../shared/visible.ts';
import { type Progress, type RunPlan, type StepProgress, formatScores } from './progress.ts';

interface Payload {
  readonly text: (columns: number) => string;
}

/** Columns to the right of a bar: epoch, step and the time left. */
const textColumns = 46;

const clearToEnd = '\u001b[K';

/** A bar of 8 to 30 columns, in the room that its text leaves of `columns`. */
function bar(share: number, columns: number): string {
  return drawBar(share, Math.min(30, Math.max(8, columns - textColumns)));
}

/**
 * Progress on a terminal: one bar for the current run, its losses, and one bar for all runs; every run that ends leaves
 * a line.
 *
 * @param now - seconds on any clock
 */
export function barProgress(
  stream: WriteStream,
  colors: ReturnType<typeof picocolors.createColors>,
  now: () => number,
): Progress {
  const bars = new MultiBar({
    stream,
    hideCursor: true,
    // Bars are cut to the terminal's width; lines that stay may wrap.
    linewrap: true,
    clearOnComplete: true,
    // The program handles interruptions itself.
    gracefulExit: false,
    forceRedraw: true,
    fps: 8,
    format: (_options, _progress, { text }: Payload) =>
      cutText(visible(text(stream.columns)), stream.columns - 1),
  });
  const write = (line: string): void => {
    if (!bars.isActive) {
      stream.write(`${line}\n`);
      return;
    }
    // The end of a wrapped line is cleared: the bar that stood there may be longer.
    bars.log(`${line}${clearToEnd}\n`);
    // Lines are written at the next drawing; without this there may be none before the bars end.
    bars.update();
  };
  let runs = 0;
  let done = 0;
  let beganAll = 0;
  let beganRun = 0;
  let run: RunPlan | undefined;
  let at: StepProgress | undefined;
  let evaluating = false;
  let accuracies = '';

  // Names and reasons may be those of a stranger's folder or plugin.
  const name = (): string => (run ? visible(`${run.strategy}, seed ${run.seed}`) : '');
  const nameWidth = (columns: number): number =>
    Math.min(Math.max(16, Math.floor(0.3 * columns)), Math.max('all runs'.length, name().length));
  const share = (): number => (run && at ? at.step / (run.epochs * run.stepsPerEpoch) : 0);
  const left = (began: number, part: number): string =>
    part > 0.01 ? `${formatDuration(((now() - began) * (1 - part)) / part)} left` : '';
  const total = (): number => (runs > 0 ? (done + share()) / runs : 0);

  const line = (title: string, part: number, columns: number, text: string): string => {
    const width = nameWidth(columns);
    return `${cutText(title, width).padEnd(width)} ${bar(part, columns - width)} ${text}`;
  };
  const runLine = (columns: number): string => {
    const where = evaluating
      ? 'testing'
      : `step ${at?.step ?? 0}/${run ? run.epochs * run.stepsPerEpoch : 0}`;
    const epoch = `epoch ${at?.epoch ?? 1}/${run?.epochs ?? 1}`;
    return line(name(), share(), columns, `${epoch}, ${where}  ${left(beganRun, share())}`);
  };
  const lossLine = (): string => (at ? `  training loss: ${formatLosses(at.losses)}` : '');
  const allLine = (columns: number): string =>
    line(
      'all runs',
      total(),
      columns,
      `run ${Math.min(done + 1, runs)}/${runs}  ${left(beganAll, total())}`,
    );

  return {
    begin: (count) => {
      runs = count;
      beganAll = now();
      for (const text of [runLine, lossLine, allLine])
        bars.create(1, 0, { text } satisfies Payload);
    },
    runBegin: (plan) => {
      run = plan;
      at = undefined;
      accuracies = '';
      beganRun = now();
    },
    step: (step) => {
      at = step;
      evaluating = false;
    },
    evaluating: () => {
      evaluating = true;
    },
    epochEnd: (record) => {
      evaluating = false;
      accuracies = formatScores(record, run?.metrics ?? {});
    },
    runEnd: (result) => {
      done += 1;
      at = undefined;
      const sign = result.status === 'finished' ? colors.green('✓') : colors.yellow('✗');
      const ended =
        result.status === 'finished'
          ? accuracies
          : [result.status, result.error?.message ?? accuracies]
              .filter((part) => part !== '')
              .join(': ');
      write(
        `${sign} ${colors.bold(name())}  ${visible(ended)}${colors.dim(`  (${formatDuration(result.seconds)})`)}`,
      );
    },
    note: (text) => write(visible(text)),
    end: () => bars.stop(),
  };
}
