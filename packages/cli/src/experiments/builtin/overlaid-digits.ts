import type { OverlaidDigitBatch, OverlaidDigitSets } from '@multigrad/datasets';
import {
  accuracy,
  checkSizes,
  type NumberSetting,
  opened,
  type OpenExperiment,
  type Preset,
  sampleCount,
  type SettingsOf,
  type SettingSpecs,
} from '@multigrad/experiment';
import { lenet, multiTaskNetwork } from '@multigrad/models';
import { validationSize } from './sizes.ts';

// What the experiments with two parts in one image have in common: the network and the presets.

const presets = {
  quick: {
    summary: 'to see everything work, in two to four minutes; too short to rank strategies',
    seeds: 1,
    settings: {
      'train-size': 6000,
      'validation-size': 500,
      'test-size': 2000,
      epochs: 4,
      'batch-size': 32,
    },
  },
  full: {
    summary: 'to measure: 50,000 images, three seeds, an hour or two',
    seeds: 3,
    settings: {
      'train-size': 50_000,
      'validation-size': 5000,
      'test-size': 10_000,
      epochs: 10,
      'batch-size': 64,
    },
  },
} as const satisfies Record<string, Preset>;

/** The setting of the noise on the right half. */
export function noiseSetting(fallback: number): NumberSetting {
  return {
    kind: 'number',
    minimum: 0,
    maximum: 1,
    default: fallback,
    description: 'Share of the right half’s pixels under salt-and-pepper noise.',
  };
}

const settings = {
  'train-size': sampleCount(60_000, 6000, 'Training images.'),
  'test-size': sampleCount(10_000, 2000, 'Test images.'),
  'validation-size': validationSize,
  noise: noiseSetting(0),
} satisfies SettingSpecs;

type OverlaidDigitSettings = SettingsOf<typeof settings>;

/** An experiment with two parts in one image but for its data. */
export const overlaidDigitsBase = {
  objectives: ['left', 'right'],
  metrics: { accuracy },
  strategies: ['only-left', 'only-right', 'sum', 'mmpareto', 'pcgrad', 'mgda'],
  settings,
  presets,
  check: (chosen: OverlaidDigitSettings): void => checkSizes(chosen, 60_000),
} as const;

/** Sizes, noise and seed as the data sets take them. */
export function overlaidDigitsOptions(
  settings: OverlaidDigitSettings,
  seed: number,
): { trainSize: number; validationSize: number; testSize: number; noise: number; seed: number } {
  return {
    trainSize: settings['train-size'],
    validationSize: settings['validation-size'],
    testSize: settings['test-size'],
    noise: settings.noise,
    seed,
  };
}

/** LeNet as the shared trunk, a head for each part. */
export function overlaidDigits(
  data: OverlaidDigitSets,
  seed: number,
): OpenExperiment<OverlaidDigitBatch, 'left' | 'right'> {
  const network = multiTaskNetwork({
    trunk: lenet({ name: 'trunk', channels: 1, seed }),
    tasks: {
      left: { kind: 'classification', classes: 10 },
      right: { kind: 'classification', classes: 10 },
    },
    seed,
  });
  return opened({
    network,
    data,
    objectives: ({ image, ...labels }, mode) => network.objectives(image, labels, mode),
  });
}
