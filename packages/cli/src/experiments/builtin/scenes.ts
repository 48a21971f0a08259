import { scenes as generated, sceneClasses } from '@multigrad/datasets';
import {
  accuracy,
  checkSizes,
  defineExperiment,
  type Experiment,
  opened,
  sampleCount,
} from '@multigrad/experiment';
import { ConfusionCounts, encoderDecoder, multiTaskNetwork, type Sharing } from '@multigrad/models';
import * as tf from '@tensorflow/tfjs-core';
import { validationSize, widthSetting } from './sizes.ts';

const available = 100_000;
const classes = sceneClasses.length;

/** The network by the name of its sharing scheme. */
const sharings: Readonly<Record<'hard' | 'cross-stitch' | 'mtan' | 'ltb', Sharing>> = {
  hard: 'hard',
  'cross-stitch': { kind: 'cross-stitch', after: ['pool1', 'pool2', 'up2'] },
  mtan: { kind: 'mtan', after: ['down1', 'down2', 'middle', 'up2', 'up1'] },
  ltb: { kind: 'ltb', after: ['pool1', 'pool2', 'up2'] },
};

/** Generated scenes: the class and the depth of every pixel. */
export const scenes: Experiment = defineExperiment({
  name: 'scenes',
  title: 'Generated scenes',
  summary:
    'A picture shows discs, squares and triangles in front of each other on a floor. A small encoder-decoder looks at it; one ' +
    'head names the class of every pixel, the other says its depth.',
  sources: [
    'Drawn by this program',
    'Liu, Johns and Davison, End-to-End Multi-Task Learning with Attention, CVPR 2019, arXiv 1803.10704 (the two tasks, and `mtan`)',
  ],
  objectives: ['segmentation', 'depth'],
  metrics: {
    iou: { title: 'mean IoU', direction: 'higher', unit: '%', objectives: ['segmentation'] },
    accuracy: { ...accuracy, title: 'pixel accuracy', objectives: ['segmentation'] },
    error: { title: 'absolute error', direction: 'lower', objectives: ['depth'] },
    relative: { title: 'relative error', direction: 'lower', unit: '%', objectives: ['depth'] },
  },
  strategies: ['only-segmentation', 'only-depth', 'sum', 'mmpareto', 'pcgrad', 'mgda'],
  presets: {
    quick: {
      summary: 'to see everything work, in a few minutes; too short to rank strategies',
      seeds: 1,
      settings: {
        'train-size': 1000,
        'validation-size': 200,
        'test-size': 400,
        epochs: 4,
        'batch-size': 16,
      },
    },
    full: {
      summary: 'to measure: 10,000 scenes, three seeds',
      seeds: 3,
      settings: {
        'train-size': 10_000,
        'validation-size': 1000,
        'test-size': 2000,
        epochs: 10,
        'batch-size': 16,
      },
    },
  },
  settings: {
    'train-size': sampleCount(available, 1000, 'Training scenes.'),
    'test-size': sampleCount(available, 400, 'Test scenes.'),
    'validation-size': validationSize,
    width: widthSetting(8, 'Channels of the first convolution; each level has twice as many.'),
    sharing: {
      kind: 'choice',
      choices: Object.keys(sharings),
      default: 'hard',
      description: 'How the two tasks share the network: hard, cross-stitch, mtan or ltb.',
    },
  },
  check: (chosen) => checkSizes(chosen, available),
  open: (settings, seed) => {
    const data = generated({
      trainSize: settings['train-size'],
      validationSize: settings['validation-size'],
      testSize: settings['test-size'],
      seed,
    });
    const { width } = settings;
    const network = multiTaskNetwork({
      trunk: (name) =>
        encoderDecoder({ name, channels: 3, inputHeight: 32, inputWidth: 32, width, seed }),
      sharing: sharings[settings.sharing as keyof typeof sharings],
      tasks: {
        segmentation: { kind: 'segmentation', classes },
        depth: { kind: 'pixel-regression', size: 1 },
      },
      seed,
    });
    return Promise.resolve(
      opened({
        network,
        data,
        objectives: ({ image, ...targets }, mode) => network.objectives(image, targets, mode),
        // Intersection over union of a whole set, in the place of a mean over batches.
        async evaluate(batches) {
          const counts = new ConfusionCounts(classes);
          for await (const batch of batches) {
            const { image, segmentation } = batch;
            const outputs = network.forward(image, { training: false });
            try {
              await counts.add(outputs.segmentation, segmentation);
            } finally {
              tf.dispose([outputs, batch]);
            }
          }
          return { segmentation: { iou: counts.meanIntersectionOverUnion() } };
        },
      }),
    );
  },
});
