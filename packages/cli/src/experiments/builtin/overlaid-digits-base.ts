import type { OverlaidDigitSets } from '@multigrad/datasets';
import {
  accuracy,
  checkSizes,
  defineExperiment,
  type Experiment,
  opened,
  type PathSetting,
  type Preset,
  sampleCount,
} from '@multigrad/experiment';
import { lenet, multiTaskNetwork } from '@multigrad/models';
import { validationSize } from './shared-settings.ts';

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

/** The sizes, noise and seed that the data sets take. */
interface OverlaidDigitSizes {
  readonly trainSize: number;
  readonly validationSize: number;
  readonly testSize: number;
  readonly noise: number;
  readonly seed: number;
}

/** What experiments with two parts in one image differ in. */
export interface OverlaidDigitsVariant {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly sources: readonly string[];
  /** Default of the setting for noise over the right half. @defaultValue 0 */
  readonly noise?: number;
  /** The setting of the data's folder, for data that do not come with the program. @defaultValue none */
  readonly data?: PathSetting;
  /** Makes the data. */
  sets(sizes: OverlaidDigitSizes, folder: string): Promise<OverlaidDigitSets>;
}

/** An experiment with two parts in one image: LeNet as the shared trunk, a head for each part. */
export function overlaidDigitsExperiment(variant: OverlaidDigitsVariant): Experiment {
  const { name, title, summary, sources, data: folder } = variant;
  return defineExperiment({
    ...{ name, title, summary, sources, presets },
    objectives: ['left', 'right'],
    metrics: { accuracy },
    strategies: ['only-left', 'only-right', 'sum', 'mmpareto', 'pcgrad', 'mgda'],
    settings: {
      'train-size': sampleCount(60_000, 6000, 'Training images.'),
      'test-size': sampleCount(10_000, 2000, 'Test images.'),
      'validation-size': validationSize,
      noise: {
        kind: 'number',
        minimum: 0,
        maximum: 1,
        default: variant.noise ?? 0,
        description:
          'Share of the right half’s pixels that noise turns black or white, 0 to 1: the more, the harder the right task.',
      },
      ...(folder === undefined ? {} : { data: folder }),
    },
    check: (chosen) => checkSizes(chosen, 60_000),
    open: async (settings, seed) => {
      const sizes = {
        trainSize: settings['train-size'],
        validationSize: settings['validation-size'],
        testSize: settings['test-size'],
        noise: settings.noise,
        seed,
      };
      const data = await variant.sets(sizes, settings.data ?? '');
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
    },
  });
}
