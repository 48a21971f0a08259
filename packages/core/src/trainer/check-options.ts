import { checkClip } from '../rows/clip-gradients.ts';
import { MultigradError } from '../base/errors.ts';
import type { TrainerOptions } from './trainer-options.ts';

/**
 * Checks what the parts of a trainer do not check themselves.
 *
 * @throws MultigradError `invalid-option`
 */
export function checkTrainerOptions(
  options: Pick<
    TrainerOptions<never, string>,
    'accumulate' | 'observe' | 'onNonFinite' | 'maxSkips' | 'clipObjectives'
  >,
): void {
  const { observe, accumulate = 1, onNonFinite = 'throw', maxSkips = 10, clipObjectives } = options;
  checkCount('accumulate', accumulate, 1);
  checkCount('maxSkips', maxSkips, 1);
  if (observe !== undefined) checkCount('observe.every', observe.every, 1);
  if (clipObjectives !== undefined) checkClip('clipObjectives', clipObjectives);
  if (['throw', 'skip'].includes(onNonFinite)) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`onNonFinite\` should be 'throw' or 'skip'. Found ${JSON.stringify(onNonFinite)}.`,
  );
}

/** @throws MultigradError `invalid-option` */
export function checkFitOptions(options: {
  readonly epochs: number;
  readonly initialEpoch?: number;
}): void {
  checkCount('epochs', options.epochs, 1);
  checkCount('initialEpoch', options.initialEpoch ?? 0, 0);
}

function checkCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${name}\` should be an integer >= ${least}. Found ${value}.`,
  );
}
