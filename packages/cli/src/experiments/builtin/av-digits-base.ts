import {
  type AudioVisualDigitBatch,
  audioVisualDigits,
  readMnist,
  readSpokenDigits,
} from '@multigrad/datasets';
import {
  accuracy,
  checkSizes,
  defineExperiment,
  type Experiment,
  type NumberSetting,
  opened,
  type Preset,
  sampleCount,
  type SettingSpecs,
} from '@multigrad/experiment';
import type { FusionKind, MultimodalNetwork } from '@multigrad/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { fusionSetting, modalityDropout, validationSize } from './shared-settings.ts';

// What the experiments with audio-visual digits have in common: all but the network.

const summary =
  'A network sees a handwritten digit and hears the same digit spoken, buried in white noise, so that the image is the ' +
  'easier modality. It learns three objectives at once: the digit from both (multimodal), from the image alone and from ' +
  'the sound alone. The recordings of a speaker are split by take; those in training are not heard in the test.';

const sources = [
  'MNIST digits: LeCun, Bottou, Bengio and Haffner, Proc. IEEE 1998; CC BY-SA 3.0',
  'Free Spoken Digit Dataset: Jackson, Souza, Flaks, Pan, Nicolas and Thite, 2018, https://github.com/Jakobovski/free-spoken-digit-dataset; CC BY-SA 4.0',
  'Wei and Hu, MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance, ICML 2024, arXiv 2405.17730',
];

const settings = {
  'train-size': sampleCount(60_000, 3000, 'Training images, the first ones of MNIST.'),
  'test-size': sampleCount(10_000, 2000, 'Test images, the first ones of MNIST.'),
  'validation-size': validationSize,
  snr: {
    kind: 'number',
    minimum: -40,
    maximum: 60,
    default: 0,
    description:
      'Signal-to-noise ratio of the sound in decibels: the smaller, the more noise; 60 is as good as clean.',
  },
  split: {
    kind: 'choice',
    choices: ['index', 'speaker'],
    default: 'index',
    description: 'Recordings that test: the first takes of each speaker, or a speaker never heard.',
  },
  data: {
    kind: 'path',
    description:
      'Folder of the Free Spoken Digit Dataset; without it, the sample that comes with the program.',
  },
} as const satisfies SettingSpecs;

const presets = {
  quick: {
    summary: 'to see everything work, in two to four minutes; too short to rank strategies',
    seeds: 1,
    settings: {
      'train-size': 3000,
      'validation-size': 500,
      'test-size': 1000,
      epochs: 4,
      'batch-size': 32,
    },
  },
  full: {
    summary: 'to measure: 20,000 pairs, three seeds; name the folder of all recordings with --data',
    seeds: 3,
    settings: {
      'train-size': 20_000,
      'validation-size': 2000,
      'test-size': 10_000,
      epochs: 8,
      'batch-size': 64,
    },
  },
} as const satisfies Record<string, Preset>;

/** What the network is made with. */
export interface AvDigitsNetworkOptions {
  readonly width: number;
  readonly seed: number;
  readonly fusion: FusionKind;
  readonly modalityDropout: number;
}

/** What experiments with audio-visual digits differ in. */
export interface AvDigitsVariant {
  readonly name: string;
  readonly title: string;
  /** A sentence on the network. */
  readonly about: string;
  /** Publications that the network comes from. */
  readonly sources?: readonly string[];
  /** The setting of the network's width. */
  readonly width: NumberSetting;
  /** Fusions that the network can have, the default first. */
  readonly fusions: readonly [FusionKind, ...FusionKind[]];
  /** Makes the network; it refuses modality dropout where it cannot have it. */
  network(options: AvDigitsNetworkOptions): MultimodalNetwork<'image' | 'audio', 'multimodal'>;
  /** What the encoders get of a batch. @defaultValue its images and sounds as they are */
  inputs?(batch: AudioVisualDigitBatch): Readonly<Record<'image' | 'audio', Tensor>>;
}

/** An experiment with audio-visual digits. */
export function avDigitsExperiment(variant: AvDigitsVariant): Experiment {
  const { name, title } = variant;
  return defineExperiment({
    ...{ name, title, summary: `${summary} ${variant.about}` },
    sources: [...sources, ...(variant.sources ?? [])],
    objectives: ['multimodal', 'image', 'audio'],
    baseline: 'multimodal',
    metrics: { accuracy },
    settings: {
      ...settings,
      width: variant.width,
      'modality-dropout': modalityDropout,
      fusion: fusionSetting(variant.fusions),
    },
    presets,
    check: (chosen) => checkSizes(chosen, 60_000),
    open: async ({ data: folder, split, snr, width, fusion, ...chosen }, seed) => {
      const data = audioVisualDigits({
        mnist: await readMnist(),
        recordings: await readSpokenDigits(folder === '' ? {} : { folder }),
        trainSize: chosen['train-size'],
        validationSize: chosen['validation-size'],
        testSize: chosen['test-size'],
        split,
        snr,
        seed,
      });
      const network = variant.network({
        ...{ width, seed, fusion },
        modalityDropout: chosen['modality-dropout'],
      });
      const inputs = (batch: AudioVisualDigitBatch) => variant.inputs?.(batch) ?? batch;
      return opened({
        network,
        data,
        modalities: network.modalities,
        objectives: (batch, mode) => network.objectives(inputs(batch), batch.label, mode),
        predict: (batch) => network.forward(inputs(batch), { training: false }).multimodal,
        predictMasked: (batch, seen) => network.predict(inputs(batch), seen),
      });
    },
  });
}
