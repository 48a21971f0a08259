import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { multigrad } from './mpirun.ts';

/** A short training run on the command line, with a checkpoint at every fourth step. */
export function training(out: string, further: readonly string[] = []): string[] {
  const settings = {
    'train-size': 192,
    'validation-size': 0,
    'test-size': 64,
    'batch-size': 12,
    epochs: 3,
    width: 4,
    checkpoint: 4,
    observe: 1,
    backend: 'wasm',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const what = ['train', 'cg-mnist', '--strategy', 'mmpareto', ...options, '--out', out];
  return ['node', multigrad, ...what, ...further];
}

/** What a run measured, times left out. */
export interface Measured {
  readonly losses: readonly Readonly<Record<string, number>>[];
  readonly accuracies: readonly unknown[];
  readonly status: string;
  readonly communication: Readonly<Record<string, unknown>> | undefined;
}

/** What a run measured. */
export function measuredIn(out: string): Measured {
  const runs = join(out, 'runs');
  const folder = join(runs, readdirSync(runs)[0]!);
  const lines = (file: string): Record<string, unknown>[] =>
    readFileSync(join(folder, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  return {
    losses: lines('steps.jsonl').map(({ losses }) => losses as Record<string, number>),
    accuracies: lines('epochs.jsonl').map(({ test }) => test),
    status: result['status'] as string,
    communication: result['communication'] as Measured['communication'],
  };
}

/** The ranks that a launcher started on this machine, by the program that they run. */
export function ranksBelow(launcher: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)![1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  return [...parents.keys()].filter((pid) => {
    try {
      return parents.get(pid) === launcher && /\/node\b/.test(readlinkSync(`/proc/${pid}/exe`));
    } catch {
      return false;
    }
  });
}
