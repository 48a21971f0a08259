import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ComparisonConfig } from '../runs/config.ts';
import type { RunRecord } from '../runs/records.ts';
import { runNames } from '../runs/run-names.ts';

/** Writes records as an output folder has them. */
export function writeComparison(
  folder: string,
  { config, runs }: { readonly config: ComparisonConfig; readonly runs: readonly RunRecord[] },
): void {
  const lines = (records: readonly object[]): string =>
    records.map((record, line) => `${JSON.stringify({ line, ...record })}\n`).join('');
  mkdirSync(join(folder, 'runs'), { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  for (const { strategy, seed, lr, name } of runNames(config)) {
    const run = runs.find((one) => one.strategy === strategy && one.seed === seed && one.lr === lr);
    if (run === undefined) continue;
    const path = join(folder, 'runs', name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'epochs.jsonl'), lines(run.epochs));
    writeFileSync(join(path, 'steps.jsonl'), lines(run.steps));
    writeFileSync(join(path, 'analysis.jsonl'), lines(run.analysis));
    if (run.result !== null) writeFileSync(join(path, 'result.json'), JSON.stringify(run.result));
  }
}
