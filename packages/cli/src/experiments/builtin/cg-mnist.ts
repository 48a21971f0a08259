import { cgMnist as coloredDigits, readMnist } from '@multigrad/datasets';
import {
  accuracy,
  checkSizes,
  defineExperiment,
  drawnSize,
  type Experiment,
  opened,
  sampleCount,
} from '@multigrad/experiment';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import {
  fusionSetting,
  modalityDropout,
  validationSize,
  vectorFusions,
  widthSetting,
} from './shared-settings.ts';

/**
 * Coloured-and-gray MNIST: the same digit seen in gray and in colour, where colour gives the training digits away and
 * misleads at test time.
 */
export const cgMnist: Experiment = defineExperiment({
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
  metrics: { accuracy },
  settings: {
    'train-size': sampleCount(60_000, 3000, 'Training digits, the first ones of MNIST.'),
    'test-size': sampleCount(10_000, 2000, 'Test digits, the first ones of MNIST.'),
    'validation-size': validationSize,
    width: widthSetting(16),
    'modality-dropout': modalityDropout,
    fusion: fusionSetting(vectorFusions),
    variance: {
      kind: 'number',
      minimum: 0,
      default: 0.03,
      description:
        'Variance of the colour around its mean, 0 or more: the smaller, the more surely colour gives the digit away in training.',
    },
  },
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
  check: (settings) => checkSizes(settings, 60_000),
  open: async (settings, seed) => {
    const { width, variance, fusion } = settings;
    const { train, test } = coloredDigits({
      mnist: await readMnist(),
      trainSize: drawnSize(settings),
      testSize: settings['test-size'],
      variance,
      seed,
    });
    const network = multimodalNetwork({
      encoders: {
        gray: digitEncoder({ name: 'gray', channels: 1, width, seed }),
        color: digitEncoder({ name: 'color', channels: 3, width, seed }),
      },
      fusion,
      modalityDropout: settings['modality-dropout'],
      classes: 10,
      seed,
    });
    return opened({
      network,
      data: { train, test },
      modalities: network.modalities,
      objectives: (batch, mode) => network.objectives(batch, batch.label, mode),
      predict: (batch) => network.forward(batch, { training: false }).multimodal,
      predictMasked: (batch, seen) => network.predict(batch, seen),
    });
  },
});
