import { resolve } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import { nodeFiles } from '@multigrad/core/files';
import type { Experiment } from '@multigrad/experiment';
import { requireExperiment } from '../experiments/index.ts';
import { loadExperiment } from '../experiments/load-experiment.ts';
import type { ComparisonConfig, ExperimentModule } from '../runs/config.ts';
import { analyzed } from './inspector.ts';

/**
 * The experiment that a folder's configuration names; with the settings of analyses, where it is of one. A file is looked for
 * beside the folder, where it was, then as the user wrote it.
 *
 * @param output - the folder
 * @param folder - the user's folder
 * @throws MultigradError `invalid-argument` where there is no such experiment; `structure-changed` where its text is not what it
 *   was
 */
export async function experimentOf(
  { command, experiment, module }: ComparisonConfig,
  output: string,
  folder: string,
): Promise<Experiment> {
  const found =
    module === undefined ? requireExperiment(experiment) : await load(module, output, folder);
  return command === 'analyze' ? analyzed(found) : found;
}

async function load(
  { specifier, file, digest }: ExperimentModule,
  output: string,
  folder: string,
): Promise<Experiment> {
  const beside = file === undefined ? null : resolve(output, file);
  const isThere = beside !== null && (await nodeFiles.look(beside).catch(() => null)) !== null;
  const name = isThere ? beside : specifier;
  const found = await loadExperiment(name, folder);
  if (found === null) {
    throw new MultigradError(
      'invalid-argument',
      `The experiment of ${output} is the npm package \`${specifier}\`, which is not installed here.`,
    );
  }
  if (found.digest === digest) return found.experiment;
  throw new MultigradError(
    'structure-changed',
    `The experiment ${name} has changed since ${output} was begun: its digest was ${digest}, and is ${found.digest}. ` +
      'Runs of both would stand in one table: put the file back, or measure anew into another folder with --out.',
  );
}
