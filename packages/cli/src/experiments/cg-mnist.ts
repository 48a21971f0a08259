import { type ColoredDigitBatch, cgMnist, readMnist } from '@multigrad/datasets';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import {
  checkSizes,
  drawnSize,
  experimentBatches,
  sampleCount,
  validationSplit,
  widthSetting,
} from './batches.ts';
import type { Experiment } from './experiment.ts';
import type { Recipe } from './recipe.ts';
import { trainedParts } from './networks.ts';
import { singleBaselineNotes } from './notes.ts';
import { numberSetting, type Settings } from '../runs/settings.ts';

async function open(settings: Settings, seed: number): Promise<Experiment<ColoredDigitBatch>> {
  const { train, test } = cgMnist({
    mnist: await readMnist(),
    trainSize: drawnSize(settings),
    testSize: numberSetting(settings, 'test-size'),
    variance: numberSetting(settings, 'variance'),
    seed,
  });
  const width = numberSetting(settings, 'width');
  const network = multimodalNetwork({
    encoders: {
      gray: digitEncoder({ name: 'gray', channels: 1, width, seed }),
      color: digitEncoder({ name: 'color', channels: 3, width, seed }),
    },
    classes: 10,
    seed,
  });
  return {
    objectives: (batch, mode) => network.objectives(batch, batch.label, mode),
    ...trainedParts(network),
    ...experimentBatches(settings, seed, { ...validationSplit(settings, train), test }),
    modalities: network.modalities,
  };
}

/**
 * Coloured-and-gray MNIST: the same digit seen in gray and in colour, where colour gives the training digits away and
 * misleads at test time.
 */
export const cgMnistRecipe: Recipe = {
  name: 'cg-mnist',
  title: 'CG-MNIST',
  summary:
    'A network with two encoders sees each handwritten digit twice, in gray and in colour. In the training set the colour ' +
    'gives the digit away, in the test set colours are shuffled and mislead. It learns three objectives at once: the digit ' +
    'from both encoders (multimodal), from gray alone and from colour alone. Leaning on colour is easy and wrong.',
  sources: [
    'Kim, Kim, Kim, Kim and Kim, Learning Not to Learn: Training Deep Neural Networks with Biased Data, CVPR 2019, arXiv 1812.10352 (coloured MNIST)',
    'Fan et al., PMR: Prototypical Modal Rebalance for Multimodal Learning, CVPR 2023, arXiv 2211.07089 (as two modalities, and the encoder)',
    'Wei and Hu, MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance, ICML 2024, arXiv 2405.17730',
    'MNIST digits: LeCun, Bottou, Bengio and Haffner, Proc. IEEE 1998; CC BY-SA 3.0',
  ],
  objectives: ['multimodal', 'gray', 'color'],
  baseline: 'multimodal',
  strategies: ['joint', 'sum', 'mmpareto', 'pcgrad', 'mgda'],
  settings: {
    'train-size': sampleCount(60_000, 3000, 'Training digits, the first ones of MNIST.'),
    'test-size': sampleCount(10_000, 2000, 'Test digits, the first ones of MNIST.'),
    width: widthSetting(16),
    variance: {
      kind: 'number',
      minimum: 0,
      default: 0.03,
      description:
        'Variance of the colour around its mean; small makes colour more telling in training.',
    },
  },
  folders: {},
  presets: {
    quick: {
      summary: 'to see everything work, in two to four minutes; too short to rank strategies',
      seeds: 1,
      // Small batches: that few digits teach something within few epochs, at the learning rate of the full preset.
      settings: {
        'train-size': 3000,
        'validation-size': 500,
        'test-size': 2000,
        epochs: 4,
        'batch-size': 16,
        width: 16,
      },
    },
    full: {
      summary: 'to measure: 20,000 digits, two seeds, an hour or two',
      seeds: 2,
      settings: {
        'train-size': 20_000,
        'validation-size': 2000,
        'test-size': 10_000,
        epochs: 8,
        'batch-size': 64,
        width: 16,
      },
    },
  },
  notes: singleBaselineNotes,
  check: (settings) => checkSizes(settings, 60_000),
  open,
};
