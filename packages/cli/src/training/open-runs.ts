import type { Files } from '@multigrad/core/files';
import type { ComparisonConfig } from '../runs/config.ts';
import { readResult } from '../runs/read-folder.ts';
import { type Run, type RunName, runNames } from '../runs/run-names.ts';

/**
 * The runs of a configuration that its folder does not hold as finished or refused.
 *
 * @param asked - the configuration that is asked for
 * @param whole - the folder's configuration, of which `asked` is a part; it decides the names of the runs' folders
 */
export async function openRuns(
  folder: string,
  asked: ComparisonConfig,
  whole: ComparisonConfig,
  files: Files,
): Promise<RunName[]> {
  const key = ({ strategy, seed, lr }: Run): string => JSON.stringify([strategy, seed, lr]);
  const keys = new Set(runNames(asked).map(key));
  const open: RunName[] = [];
  for (const run of runNames(whole)) {
    if (!keys.has(key(run))) continue;
    const result = await readResult(folder, run.name, files);
    if (result?.status !== 'finished' && result?.status !== 'refused') open.push(run);
  }
  return open;
}
