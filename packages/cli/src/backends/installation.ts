import type { WriteStream } from 'node:tty';
import type { NativeProgress, NativeStep } from '@multigrad/backends/native';
import { SingleBar } from 'cli-progress';

/** Shows the progress of an installation. What it shows on a terminal is cleared at the end. */
export interface InstallationProgress {
  readonly update: (progress: NativeProgress) => void;
  readonly end: () => void;
}

const titles: Readonly<Record<NativeStep, string>> = {
  download: 'Fetching',
  unpack: 'Unpacking',
  packages: 'Fetching',
  compile: 'Compiling with',
  try: 'Trying:',
};

/** A bar on a terminal; elsewhere a line for each step. */
export function installationProgress(
  terminal: WriteStream | null,
  print: (line: string) => void,
): InstallationProgress {
  return terminal === null ? lines(print) : bar(terminal);
}

function lines(print: (line: string) => void): InstallationProgress {
  let before = '';
  return {
    update: (progress) => {
      // Unpacking visits thousands of headers.
      const line = progress.step === 'unpack' ? 'Unpacking libraries and headers' : text(progress);
      if (line !== before) print(line);
      before = line;
    },
    end: () => undefined,
  };
}

function bar(stream: WriteStream): InstallationProgress {
  const shown = new SingleBar({
    stream,
    hideCursor: true,
    clearOnComplete: true,
    // The program handles interruptions itself.
    gracefulExit: false,
    fps: 8,
    linewrap: true,
    format: (_options, { progress }, { line, known }: { line: string; known: boolean }) => {
      const width = 30;
      const full = Math.round(progress * width);
      const blocks = known ? '█'.repeat(full) + '░'.repeat(width - full) : '▒'.repeat(width);
      const percent = known ? `${Math.floor(100 * progress)} %`.padStart(5) : '     ';
      return `${blocks} ${percent}  ${line}`.slice(0, stream.columns - 1);
    },
  });
  let running = false;
  return {
    update: (progress) => {
      const payload = { line: text(progress), known: progress.share !== null };
      if (running) shown.update(progress.share ?? 0, payload);
      else shown.start(1, progress.share ?? 0, payload);
      running = true;
    },
    end: () => shown.stop(),
  };
}

function text({ step, subject }: NativeProgress): string {
  return `${titles[step]} ${subject}`;
}
