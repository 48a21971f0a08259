import type { WriteStream } from 'node:tty';
import { type Options, Format, MultiBar } from 'cli-progress';
import type picocolors from 'picocolors';
import { formatDuration } from './duration.ts';
import { type Progress, type RunPlan, type StepProgress, formatAccuracies, formatLosses } from './progress.ts';

const barOptions: Options = {
  barsize: 24,
  barCompleteChar: '█',
  barIncompleteChar: '░',
};

interface Payload {
  readonly text: (bar: string) => string;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/**
 * Progress on a terminal: one bar for the current run, its losses, and one bar for all runs; every run that ends leaves
 * a line.
 *
 * @param now - seconds on any clock
 */
export function barProgress(stream: WriteStream, colors: ReturnType<typeof picocolors.createColors>, now: () => number): Progress {
  const bars = new MultiBar({
    ...barOptions,
    stream,
    hideCursor: true,
    clearOnComplete: true,
    // The program handles interruptions itself.
    gracefulExit: false,
    forceRedraw: true,
    fps: 8,
    format: (options, { progress }, payload: Payload) =>
      cut(payload.text(Format.BarFormat(progress, options)), stream.columns - 1),
  });
  const write = (line: string): void => {
    if (bars.isActive) bars.log(`${line}\n`);
    else stream.write(`${line}\n`);
  };
  let runs = 0;
  let done = 0;
  let beganAll = 0;
  let beganRun = 0;
  let run: RunPlan | undefined;
  let at: StepProgress | undefined;
  let evaluating = false;
  let accuracies = '';

  const name = (): string => (run ? `${run.strategy}, seed ${run.seed}` : '');
  const width = (): number => Math.min(34, Math.max(8, name().length));
  const share = (): number => (run && at ? at.step / (run.epochs * run.stepsPerEpoch) : 0);
  const left = (began: number, part: number): string =>
    part > 0.01 ? `${formatDuration(((now() - began) * (1 - part)) / part)} left` : '';
  const total = (): number => (runs > 0 ? (done + share()) / runs : 0);

  const rows = {
    run: (bar: string) => {
      const where = evaluating ? 'testing' : `step ${at?.step ?? 0}/${run ? run.epochs * run.stepsPerEpoch : 0}`;
      return `${cut(name(), width()).padEnd(width())} ${bar} epoch ${at?.epoch ?? 1}/${run?.epochs ?? 1}, ${where}  ${left(beganRun, share())}`;
    },
    loss: () => (at ? `  training loss: ${formatLosses(at.losses)}` : ''),
    all: (bar: string) =>
      `${'all runs'.padEnd(width())} ${bar} run ${Math.min(done + 1, runs)}/${runs}  ${left(beganAll, total())}`,
  };
  const created = { run: undefined, all: undefined } as {
    run: ReturnType<MultiBar['create']> | undefined;
    all: ReturnType<MultiBar['create']> | undefined;
  };

  const draw = (): void => {
    created.run?.update(share());
    created.all?.update(total());
  };
  return {
    begin: (count) => {
      runs = count;
      beganAll = now();
      const payload = (text: Payload['text']): Payload => ({ text });
      created.run = bars.create(1, 0, payload(rows.run));
      bars.create(1, 0, payload(rows.loss));
      created.all = bars.create(1, 0, payload(rows.all));
    },
    runBegin: (plan) => {
      run = plan;
      at = undefined;
      accuracies = '';
      beganRun = now();
      draw();
    },
    step: (step) => {
      at = step;
      evaluating = false;
      draw();
    },
    evaluating: () => {
      evaluating = true;
      draw();
    },
    epochEnd: (record) => {
      evaluating = false;
      accuracies = formatAccuracies(record);
      draw();
    },
    runEnd: (result) => {
      done += 1;
      at = undefined;
      const sign = result.status === 'finished' ? colors.green('✓') : colors.yellow('✗');
      const time = result.stepTime ? `, ${result.stepTime.plain.toFixed(0)} ms per step` : '';
      write(`${sign} ${colors.bold(name())}  ${accuracies || result.status}${colors.dim(`  (${formatDuration(result.seconds)}${time})`)}`);
    },
    note: write,
    end: () => bars.stop(),
  };
}
