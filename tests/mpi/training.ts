import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { multigrad } from './mpirun.ts';

/** What `multigrad` is given for a short training run with a checkpoint at every fourth step. */
export function trainingOptions(out: string): string[] {
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
  return ['train', 'cg-mnist', '--strategy', 'mmpareto', ...options, '--out', out];
}

/** The command line of such a run. */
export function training(out: string, further: readonly string[] = []): string[] {
  return ['node', multigrad, ...trainingOptions(out), ...further];
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
