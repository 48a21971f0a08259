import type { OptionSpec } from '@multigrad/core/strategy';
import type { OverlaidDigitBatch, OverlaidDigitSets } from '@multigrad/datasets';
import { lenet, multiTaskNetwork } from '@multigrad/models';
import { checkSizes, experimentBatches, sampleCount } from './batches.ts';
import type { Experiment } from './experiment.ts';
import { trainedParts } from './networks.ts';
import { singleBaselineNotes } from './notes.ts';
import type { Preset, PresetName, Recipe } from './recipe.ts';
import { numberSetting, type Settings } from '../runs/settings.ts';

// What the recipes of two parts in one image have in common: the network and the presets.

const presets: Readonly<Record<PresetName, Preset>> = {
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
};

/** The setting of the noise on the right half. */
export function noiseSetting(fallback: number): OptionSpec {
  return {
    kind: 'number',
    minimum: 0,
    maximum: 1,
    default: fallback,
    description: 'Share of the right half’s pixels under salt-and-pepper noise.',
  };
}

/** A recipe of two parts in one image but for its data. */
export const overlaidDigitsBase: Omit<Recipe, 'name' | 'title' | 'summary' | 'sources' | 'open'> = {
  objectives: ['left', 'right'],
  baseline: null,
  strategies: ['only-left', 'only-right', 'sum', 'mmpareto', 'pcgrad', 'mgda'],
  settings: {
    'train-size': sampleCount(60_000, 6000, 'Training images.'),
    'test-size': sampleCount(10_000, 2000, 'Test images.'),
    noise: noiseSetting(0),
  },
  folders: {},
  presets,
  notes: singleBaselineNotes,
  check: (settings) => checkSizes(settings, 60_000),
};

/** Sizes, noise and seed as the data sets take them. */
export function overlaidDigitsOptions(
  settings: Settings,
  seed: number,
): { trainSize: number; validationSize: number; testSize: number; noise: number; seed: number } {
  return {
    trainSize: numberSetting(settings, 'train-size'),
    validationSize: numberSetting(settings, 'validation-size'),
    testSize: numberSetting(settings, 'test-size'),
    noise: numberSetting(settings, 'noise'),
    seed,
  };
}

/** LeNet as the shared trunk, a head for each part. */
export function overlaidDigitsExperiment(
  settings: Settings,
  seed: number,
  sets: OverlaidDigitSets,
): Experiment<OverlaidDigitBatch> {
  const network = multiTaskNetwork({
    trunk: lenet({ name: 'trunk', channels: 1, seed }),
    tasks: {
      left: { kind: 'classification', classes: 10 },
      right: { kind: 'classification', classes: 10 },
    },
    seed,
  });
  return {
    objectives: ({ image, ...labels }, mode) => network.objectives(image, labels, mode),
    ...trainedParts(network),
    ...experimentBatches(settings, seed, sets),
    modalities: [],
  };
}
