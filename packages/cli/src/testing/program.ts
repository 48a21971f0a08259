import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The real program, as `npm run build` made it.
const program = fileURLToPath(new URL('../../bin/multigrad.js', import.meta.url));

/** Settings with which a run takes a second. */
export const tiny: readonly string[] = [
  ...['--preset', 'quick'],
  ...['--train-size', '128'],
  ...['--test-size', '64'],
  ...['--batch-size', '64'],
  ...['--epochs', '1'],
  ...['--width', '4'],
  ...['--observe', '1'],
];

/** How a call of the program ended, and what it printed. */
export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The program, called in a folder of its own. */
export class Program {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'multigrad-program-'));

  /** @param output - a file that takes the program's output */
  start(
    args: readonly string[],
    onOutput: (child: ChildProcess, out: string) => void = () => undefined,
    output?: string,
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const file = output === undefined ? undefined : openSync(output, 'w');
      const child = spawn(process.execPath, [program, ...args], {
        cwd: this.folder,
        stdio: ['ignore', file ?? 'pipe', 'pipe'],
      });
      if (file !== undefined) closeSync(file);
      let out = '';
      let err = '';
      child.stdout?.on('data', (data: Buffer) => {
        out += data.toString();
        onOutput(child, out);
      });
      child.stderr!.on('data', (data: Buffer) => {
        err += data.toString();
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
    });
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  text(...parts: readonly string[]): string {
    return readFileSync(this.path(...parts), 'utf8');
  }

  json(...parts: readonly string[]): Record<string, unknown> {
    return JSON.parse(this.text(...parts)) as Record<string, unknown>;
  }

  /** The records of a file of JSON lines. */
  lines(...parts: readonly string[]): Record<string, unknown>[] {
    return this.text(...parts)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }
}
