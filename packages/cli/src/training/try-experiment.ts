import { MultigradError, own } from '@multigrad/core/strategy';
import type { Experiment } from '@multigrad/experiment';
import * as tf from '@tensorflow/tfjs-core';
import { invalidExperiment, listed, thrownBy } from '../experiments/invalid-experiment.ts';
import { prepareExperiment, type PreparedExperiment } from '../experiments/prepare.ts';
import { assertContribution, tryContribution } from './contribution.ts';
import { learningRates, selectsBest, type Settings, settingsOfRun } from '../runs/settings.ts';

/** Training batches that may pass before every objective has been seen: labels may be missing. */
const mostBatches = 8;

/**
 * Opens an experiment and makes forward passes, so that one that is broken fails before anything is written. Nothing of it
 * is kept: runs open it anew.
 *
 * @throws MultigradError `invalid-experiment` naming what is wrong; `invalid-option` for settings that do not fit the data
 */
export async function tryExperiment(
  experiment: Experiment,
  settings: Settings,
  seed: number,
): Promise<void> {
  const [lr] = learningRates(settings) as [number];
  const prepared = await prepareExperiment(experiment, settingsOfRun(settings, { lr }), seed);
  try {
    if (prepared.validation === null) assertNothingSelected(experiment, settings);
    assertContribution(experiment, prepared, settings);
    const unseen = new Set(experiment.objectives);
    let batches = 0;
    for await (const batch of prepared.train(0)) {
      try {
        assertBatch(experiment, prepared, batch);
        if (batches === 0) await tryContribution(experiment, prepared, settings, batch);
        for (const name of tryForward(experiment, prepared, batch)) unseen.delete(name);
      } finally {
        tf.dispose(batch);
      }
      batches += 1;
      if (unseen.size === 0 || batches === mostBatches) break;
    }
    if (unseen.size === 0) return;
    throw invalidExperiment(
      experiment,
      `\`objectives\` should return losses of ${listed(experiment.objectives)}, in one of the first ${mostBatches} batches at least`,
      [...experiment.objectives].filter((name) => !unseen.has(name)),
    );
  } finally {
    prepared.dispose();
  }
}

function assertNothingSelected({ name }: Experiment, settings: Settings): void {
  const option = selectsBest(settings) ? 'select' : 'lr';
  if (option === 'lr' && learningRates(settings).length === 1) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` of \`${name}\` selects by the validation set and needs a \`validation-size\` of at least 1. Found 0.`,
  );
}

function assertBatch(
  experiment: Experiment,
  { modalities }: PreparedExperiment,
  batch: unknown,
): void {
  const entries = typeof batch === 'object' && batch !== null ? Object.entries(batch) : [];
  if (entries.length === 0 || !entries.every(([, tensor]) => tensor instanceof tf.Tensor)) {
    throw invalidExperiment(experiment, 'a batch should be an object of tensors', batch);
  }
  const missing = modalities.find((name) => own(batch as tf.NamedTensorMap, name) === undefined);
  if (missing === undefined) return;
  throw invalidExperiment(
    experiment,
    `\`modalities\` should be entries of a batch, ${listed(entries.map(([name]) => name))}`,
    missing,
  );
}

/** One forward pass in evaluation. @returns the objectives that were present */
function tryForward(
  experiment: Experiment,
  prepared: PreparedExperiment,
  batch: tf.NamedTensorMap,
): string[] {
  const names: string[] = [];
  tf.tidy(() => {
    let measured: ReturnType<PreparedExperiment['objectives']>;
    try {
      measured = prepared.objectives(batch, { training: false, step: 0 });
    } catch (cause) {
      throw thrownBy(experiment, 'objectives', cause);
    }
    for (const [name, { loss, metrics }] of Object.entries(measured)) {
      assertScalar(experiment, `the loss of objective \`${name}\``, loss);
      for (const [metric, value] of Object.entries(metrics)) {
        assertScalar(experiment, `metric \`${metric}\` of objective \`${name}\``, value);
      }
      if (prepared.evaluate === null) assertMetrics(experiment, name, metrics);
      names.push(name);
    }
  });
  return names;
}

function assertScalar(experiment: Experiment, what: string, value: unknown): void {
  if (value instanceof tf.Tensor && value.rank === 0) return;
  const found = value instanceof tf.Tensor ? { shape: value.shape as number[] } : value;
  throw invalidExperiment(experiment, `${what} should be a scalar tensor`, found);
}

/** @throws MultigradError `invalid-experiment` where an objective lacks a metric that the experiment says it has */
export function assertMetrics(experiment: Experiment, objective: string, metrics: object): void {
  for (const [metric, { objectives }] of Object.entries(experiment.metrics)) {
    if (!objectives.includes(objective) || Object.hasOwn(metrics, metric)) continue;
    throw invalidExperiment(
      experiment,
      `objective \`${objective}\` should have the metric \`${metric}\`, as \`metrics\` says, from \`objectives\` or \`evaluate\``,
      Object.keys(metrics),
    );
  }
}
