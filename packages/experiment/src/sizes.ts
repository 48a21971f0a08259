import { MultigradError } from '@multigrad/core/strategy';
import type { NumberSetting } from './settings.ts';

/**
 * The description of a setting for how many samples are taken of a set.
 *
 * @param maximum - samples in the set, an integer >= 1
 * @param fallback - the default
 *
 * @example
 * ```ts
 * import { sampleCount } from '@multigrad/experiment';
 *
 * console.log(sampleCount(60_000, 3000, 'Training images.').maximum); // 60000
 * ```
 */
export function sampleCount(maximum: number, fallback: number, description: string): NumberSetting {
  return { kind: 'number', integer: true, minimum: 1, maximum, default: fallback, description };
}

/** The settings for sizes of an experiment that draws its samples from a larger set. */
export interface SizeSettings {
  /** Samples to train on. */
  readonly 'train-size': number;
  /** Samples to select models by. */
  readonly 'validation-size': number;
  /** Samples in a training step. */
  readonly 'batch-size': number;
}

/**
 * The number of samples that an experiment draws from its training set: those to train on, and those to select models by.
 *
 * @example
 * ```ts
 * import { drawnSize } from '@multigrad/experiment';
 *
 * console.log(drawnSize({ 'train-size': 3000, 'validation-size': 500 })); // 3500
 * ```
 */
export function drawnSize(settings: Omit<SizeSettings, 'batch-size'>): number {
  return settings['train-size'] + settings['validation-size'];
}

/**
 * Checks that a batch fits into the training samples, and these with the validation samples into what there is.
 *
 * @param available - samples in the set that they are drawn from
 * @throws MultigradError `invalid-option` naming the setting
 *
 * @example
 * ```ts
 * import { checkSizes } from '@multigrad/experiment';
 *
 * try {
 *   checkSizes({ 'train-size': 100, 'validation-size': 0, 'batch-size': 128 }, 60_000);
 * } catch (error) {
 *   console.log(String(error)); // … `batch-size` should be at most `train-size`. Found 128 for 100 training samples.
 * }
 * ```
 */
export function checkSizes(settings: SizeSettings, available: number): void {
  const { 'train-size': size, 'batch-size': batch } = settings;
  if (batch > size) {
    throw new MultigradError(
      'invalid-option',
      `Option \`batch-size\` should be at most \`train-size\`. Found ${batch} for ${size} training samples.`,
    );
  }
  const drawn = drawnSize(settings);
  if (drawn > available) {
    throw new MultigradError(
      'invalid-option',
      `Options \`train-size\` and \`validation-size\` should add up to at most ${available}. Found ${drawn}.`,
    );
  }
}
