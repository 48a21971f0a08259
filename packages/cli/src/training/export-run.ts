import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { type CheckpointContent, Checkpoints, toTensor } from '@multigrad/checkpoint';
import { exportWeights, modelFolder } from '@multigrad/checkpoint/model-files';
import { nodeFiles, replaceDurably } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';
import { saveWithStockLayers } from '@multigrad/models';
import * as tf from '@tensorflow/tfjs-core';
import { experimentOf } from '../analysis/experiment-of.ts';
import type { Environment } from '../shared/environment.ts';
import { prepareExperiment, type PreparedExperiment } from '../experiments/prepare.ts';
import { assertSettings } from '../experiments/settings.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { checkpointsFolder } from '../runs/folder-layout.ts';
import { readConfig } from '../runs/read-folder.ts';
import { type RunName, runNames } from '../runs/run-names.ts';
import { settingsOfRun } from '../runs/settings.ts';
import { exitCodes } from '../shared/exit-codes.ts';

/**
 * Writes the network of a run, as its newest checkpoint has it: the whole and each part as a model of TensorFlow.js in a
 * folder of its own, and all weights by name in `weights.safetensors`.
 *
 * @param check - refuses a configuration that names code which the user does not trust
 * @returns the exit code
 * @throws MultigradError `io` where there is no such run, no checkpoint, or no room; `invalid-data` where checkpoints are
 *   damaged; `structure-changed` where they are of another network
 */
export async function exportRun(
  given: string,
  to: string,
  { folder, print, complain }: Environment,
  check: (config: ComparisonConfig) => void,
): Promise<number> {
  const { output, config, run } = await findRun(resolve(folder, given), given);
  check(config);
  const target = resolve(folder, to);
  checkTarget(target, to);
  const path = checkpointsFolder(output, run.name);
  const content = await new Checkpoints(path, { onDamaged: complain }).readNewest();
  if (content === null) {
    throw new MultigradError(
      'io',
      `The run ${run.name} has no checkpoint yet. Train it for an epoch.`,
    );
  }
  tf.enableProdMode();
  // Weights are the same on every backend, and this one is always there.
  await useBackend('cpu');
  const settings = settingsOfRun(config.settings, run);
  const experiment = await experimentOf(config, output, folder);
  assertSettings(experiment, settings);
  const prepared = await prepareExperiment(experiment, settings, run.seed);
  try {
    assign(prepared, content, run);
    try {
      mkdirSync(target, { recursive: true });
    } catch (cause) {
      throw ioError(`write to ${target}`, cause);
    }
    const ownLayers = new Map<string, readonly string[]>();
    for (const [name, model] of Object.entries(prepared.models)) {
      ownLayers.set(name, await saveWithStockLayers(model, modelFolder(join(target, name))));
    }
    const { manifest } = content;
    const weights = await exportWeights(new Map([...prepared.variables, ...prepared.statistics]), {
      metadata: { run: run.name, experiment: config.experiment, step: String(manifest.step) },
    });
    try {
      await replaceDurably(nodeFiles, join(target, 'weights.safetensors'), weights);
    } catch (cause) {
      throw ioError(`write to ${target}`, cause);
    }
    print(`${run.name} after step ${manifest.step}, into ${to}:`);
    print(`  weights.safetensors, for Python and importWeights`);
    for (const line of modelLines(ownLayers)) print(line);
  } finally {
    prepared.dispose();
  }
  return exitCodes.success;
}

/** What is said of the models: which of them plain TensorFlow.js reads, and what comes first for the others. */
export function modelLines(ownLayers: ReadonlyMap<string, readonly string[]>): string[] {
  const lines = Array.from(
    ownLayers,
    ([name, own]) => `  ${name}/, for tf.loadLayersModel${own.length > 0 ? ' *' : ''}`,
  );
  const all = new Set([...ownLayers.values()].flat());
  if (all.size === 0) return lines;
  return [
    ...lines,
    `  * has layers that TensorFlow.js lacks: ${[...all].join(', ')}.`,
    '    Before tf.loadLayersModel, with @multigrad/models installed:',
    "      import { registerLayers } from '@multigrad/models';",
    '      registerLayers();',
  ];
}

/** The run that a folder belongs to; for an output folder the only run in it. */
async function findRun(
  path: string,
  given: string,
): Promise<{ readonly output: string; readonly config: ComparisonConfig; readonly run: RunName }> {
  const within = !existsSync(join(path, 'config.json')) && existsSync(join(path, 'checkpoints'));
  const output = within ? dirname(dirname(path)) : path;
  const config = await readConfig(output);
  const all = runNames(config);
  const found = within ? all.filter(({ name }) => join(output, 'runs', name) === path) : all;
  const [run] = found;
  if (run !== undefined && found.length === 1) return { output, config, run };
  throw new MultigradError(
    'io',
    `\`${given}\` should be the folder of one run. Found ${found.length} runs; name one: ` +
      `${all.map(({ name }) => join(given, 'runs', name)).join(', ')}.`,
  );
}

function checkTarget(path: string, given: string): void {
  let entries: readonly string[];
  try {
    entries = existsSync(path) ? readdirSync(path) : [];
  } catch (cause) {
    throw ioError(`write to ${path}`, cause);
  }
  if (entries.length === 0) return;
  throw new MultigradError('io', `The folder ${given} is not empty. Choose another with --to.`);
}

/** Puts a checkpoint's weights and statistics into an experiment's network. */
function assign(
  { variables, statistics }: PreparedExperiment,
  content: CheckpointContent,
  run: RunName,
): void {
  const wanted = [
    ...Array.from(variables, ([name, variable]) => [`weights/${name}`, variable] as const),
    ...Array.from(statistics, ([name, variable]) => [`statistics/${name}`, variable] as const),
  ];
  const fits = ([name, { shape }]: (typeof wanted)[number]): boolean =>
    content.tensors.get(name)?.shape.join() === shape.join();
  const differing = wanted.filter((one) => !fits(one)).map(([name]) => name);
  if (differing.length > 0) {
    throw new MultigradError(
      'structure-changed',
      `The checkpoint of ${run.name} should have the weights of this version's network. It lacks, or has in another shape: ${differing.join(', ')}.`,
    );
  }
  tf.tidy(() => {
    for (const [name, variable] of wanted) variable.assign(toTensor(content.tensors.get(name)!));
  });
}
