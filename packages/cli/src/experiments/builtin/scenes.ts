import { scenes as generated, sceneClasses } from '@multigrad/datasets';
import {
  accuracy,
  checkSizes,
  defineExperiment,
  type Experiment,
  opened,
  sampleCount,
} from '@multigrad/experiment';
import {
  AngleErrors,
  ConfusionCounts,
  encoderDecoder,
  multiTaskNetwork,
  type Sharing,
} from '@multigrad/models';
import * as tf from '@tensorflow/tfjs-core';
import { validationSize, widthSetting } from './shared-settings.ts';

const available = 100_000;
const classes = sceneClasses.length;

/** The network by the name of its sharing scheme. */
const sharings: Readonly<Record<'hard' | 'cross-stitch' | 'mtan' | 'ltb', Sharing>> = {
  hard: 'hard',
  'cross-stitch': { kind: 'cross-stitch', after: ['pool1', 'pool2', 'up2'] },
  mtan: { kind: 'mtan', after: ['down1', 'down2', 'middle', 'up2', 'up1'] },
  ltb: { kind: 'ltb', after: ['pool1', 'pool2', 'up2'] },
};

/** Generated scenes: the class, the depth and the surface normal of every pixel. */
export const scenes: Experiment = defineExperiment({
  name: 'scenes',
  title: 'Generated scenes',
  summary:
    'A picture shows half-spheres, slanted squares and slanted triangles in front of each other on a floor. A small ' +
    'encoder-decoder looks at it; one head names the class of every pixel, one says its depth, one the direction that its ' +
    'surface faces.',
  sources: [
    'Drawn by this program',
    'Liu, Johns and Davison, End-to-End Multi-Task Learning with Attention, CVPR 2019, arXiv 1803.10704 (the three tasks, and `mtan`)',
  ],
  objectives: ['segmentation', 'depth', 'normal'],
  metrics: {
    iou: { title: 'mean IoU', direction: 'higher', unit: '%', objectives: ['segmentation'] },
    accuracy: { ...accuracy, title: 'pixel accuracy', objectives: ['segmentation'] },
    error: { title: 'absolute error', direction: 'lower', objectives: ['depth'] },
    relative: { title: 'relative error', direction: 'lower', unit: '%', objectives: ['depth'] },
    angle: { title: 'mean angle', direction: 'lower', unit: '°', objectives: ['normal'] },
    median: { title: 'median angle', direction: 'lower', unit: '°', objectives: ['normal'] },
    within11: { title: 'within 11.25°', direction: 'higher', unit: '%', objectives: ['normal'] },
    within22: { title: 'within 22.5°', direction: 'higher', unit: '%', objectives: ['normal'] },
    within30: { title: 'within 30°', direction: 'higher', unit: '%', objectives: ['normal'] },
  },
  strategies: [
    ...['only-segmentation', 'only-depth', 'only-normal'],
    ...['sum', 'mmpareto', 'pcgrad', 'mgda'],
  ],
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
      description: 'How the three tasks share the network: hard, cross-stitch, mtan or ltb.',
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
        normal: { kind: 'normals' },
      },
      seed,
    });
    return Promise.resolve(
      opened({
        network,
        data,
        objectives: ({ image, ...targets }, mode) => network.objectives(image, targets, mode),
        // Intersection over union and angles of a whole set, in the place of means over batches.
        async evaluate(batches) {
          const counts = new ConfusionCounts(classes);
          const errors = new AngleErrors();
          for await (const batch of batches) {
            const { image, segmentation, normal } = batch;
            const outputs = network.forward(image, { training: false });
            try {
              await counts.add(outputs.segmentation, segmentation);
              await errors.add(outputs.normal, normal);
            } finally {
              tf.dispose([outputs, batch]);
            }
          }
          return {
            segmentation: { iou: counts.meanIntersectionOverUnion() },
            normal: {
              angle: errors.mean(),
              median: errors.median(),
              within11: errors.within(11.25),
              within22: errors.within(22.5),
              within30: errors.within(30),
            },
          };
        },
      }),
    );
  },
});
