import { checkClip } from '../rows/clip-gradients.ts';
import { MultigradError } from '../base/errors.ts';
import { checkKnownOptions, type OptionNames } from '../base/known-options.ts';
import { readOptionNames } from '../data/data-source.ts';
import { groupingOptionNames } from '../step/integrate-options.ts';
import { updateOptionNames } from '../update/update.ts';
import type { TrainerCallback } from './callbacks.ts';
import type { EvaluateOptions, FitOptions, TrainerOptions } from './trainer-options.ts';

const trainerOptionNames: OptionNames<TrainerOptions<never, string>> = {
  objectives: true,
  variables: true,
  strategy: true,
  ...updateOptionNames,
  ...groupingOptionNames,
  statistics: true,
  accumulate: true,
  onNonFinite: true,
  maxSkips: true,
  lossScale: true,
  lossWeights: true,
  modulate: true,
  clipObjectives: true,
  observe: true,
  exchange: true,
  synchronise: true,
  compile: true,
};

const evaluateOptionNames: OptionNames<EvaluateOptions> = { ...readOptionNames, weights: true };

const fitOptionNames: OptionNames<FitOptions<never, string>> = {
  epochs: true,
  ...readOptionNames,
  validationData: true,
  validationWeights: true,
  callbacks: true,
  signal: true,
  initialEpoch: true,
  resume: true,
  yieldEvery: true,
};

/**
 * Checks the options of a trainer that its parts do not check themselves.
 *
 * @throws MultigradError `invalid-option`
 */
export function checkTrainerOptions<Batch, Name extends string>(
  options: TrainerOptions<Batch, Name>,
): void {
  checkKnownOptions('MultiObjectiveTrainer', options, trainerOptionNames);
  const { observe, accumulate = 1, onNonFinite = 'throw', maxSkips = 10, clipObjectives } = options;
  checkCount('accumulate', accumulate, 1);
  checkCount('maxSkips', maxSkips, 1);
  if (observe !== undefined) {
    checkKnownOptions('observe', observe, { every: true });
    checkCount('observe.every', observe.every, 1);
  }
  if (!['boolean', 'undefined'].includes(typeof options.compile)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`compile\` should be true or false. Found ${JSON.stringify(options.compile)}.`,
    );
  }
  if (clipObjectives !== undefined) checkClip('clipObjectives', clipObjectives);
  if (['throw', 'skip'].includes(onNonFinite)) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`onNonFinite\` should be 'throw' or 'skip'. Found ${JSON.stringify(onNonFinite)}.`,
  );
}

/** @throws MultigradError `invalid-option` */
export function checkFitOptions<Batch, Name extends string>(
  options: FitOptions<Batch, Name>,
): void {
  checkKnownOptions('fit', options, fitOptionNames);
  checkCount('epochs', options.epochs, 1);
  checkCount('initialEpoch', options.initialEpoch ?? 0, 0);
  for (const callback of options.callbacks ?? []) checkCallback(callback);
}

/** Refuses callbacks of TensorFlow.js, which wait for a `tf.LayersModel` that is never set. */
function checkCallback(callback: TrainerCallback<never>): void {
  if (!('setModel' in callback || 'setParams' in callback)) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`callbacks\` should hold callbacks of multigrad. Found ${callback.constructor.name}, which is made for ` +
      '`LayersModel.fit`: use `earlyStopping` of @multigrad/core, or an object such as `{ onEpochEnd(epoch, logs) {} }`.',
  );
}

/** @throws MultigradError `invalid-option` */
export function checkEvaluateOptions(options: EvaluateOptions): void {
  checkKnownOptions('evaluate', options, evaluateOptionNames);
}

/** @throws MultigradError `invalid-option` unless the option is an integer of at least `least` */
export function checkCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${name}\` should be an integer >= ${least}. Found ${value}.`,
  );
}
