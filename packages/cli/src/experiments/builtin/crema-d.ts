import { MultigradError } from '@multigrad/core/strategy';
import { readCremaD, subset } from '@multigrad/datasets';
import {
  accuracy,
  checkSizes,
  defineExperiment,
  type Experiment,
  opened,
  sampleCount,
} from '@multigrad/experiment';
import { multimodalNetwork, resnet18 } from '@multigrad/models';
import { requireCopy } from './required-copy.ts';
import { modalityDropout, validationSize, widthSetting } from './shared-settings.ts';

// How many clips the official code's lists for training and for testing have.
const trainingClips = 6698;
const testClips = 744;

const whereToGet =
  'CREMA-D does not come with the program: get the clips from https://github.com/CheyneyComputerScience/CREMA-D, the ' +
  'lists and the script that cuts frames from https://github.com/GeWu-Lab/OGM-GE_CVPR2022, and name the folder with ' +
  'train.csv, test.csv, AudioWAV and Image-01-FPS in `--data`.';

/** The first `size` clips of a set; fewer clips than that are an error that names the setting. */
function first<Source extends Parameters<typeof subset>[0]>(
  source: Source,
  setting: string,
  size: number,
): Pick<Source, 'count' | 'batch'> {
  if (size <= source.count)
    return subset(
      source,
      Array.from({ length: size }, (_, i) => i),
    );
  throw new MultigradError(
    'invalid-option',
    `Option \`${setting}\` of \`crema-d\` should be at most the number of clips in this copy, ${source.count}. Found ${size}.`,
  );
}

/** CREMA-D: emotions of speakers by voice and by face, the paper's own setting; needs the user's copy. */
export const cremaD: Experiment = defineExperiment({
  name: 'crema-d',
  title: 'CREMA-D',
  summary:
    'A network with two ResNet-18 encoders hears a speaker and sees a few frames of the face; it names one of six ' +
    'emotions from both (multimodal), from the sound alone and from the frames alone. Sound is the easier modality.',
  sources: [
    'Cao et al., CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset, IEEE Transactions on Affective Computing 2014',
    'Peng, Wei, Deng, Wang and Hu, Balanced Multimodal Learning via On-the-fly Gradient Modulation, CVPR 2022, arXiv 2203.15332 (split and features)',
    'Wei and Hu, MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance, ICML 2024, arXiv 2405.17730',
  ],
  objectives: ['multimodal', 'audio', 'image'],
  baseline: 'multimodal',
  metrics: { accuracy },
  settings: {
    'train-size': sampleCount(trainingClips, 256, 'Training clips, the first ones of the list.'),
    'test-size': sampleCount(testClips, 128, 'Test clips, the first ones of the list.'),
    'validation-size': validationSize,
    width: widthSetting(64, 'Channels of the first stage; 64 is ResNet-18.'),
    'modality-dropout': modalityDropout,
    frames: sampleCount(64, 2, 'Frames of each clip.'),
    'frame-size': sampleCount(1024, 224, 'Height and width of a frame in pixels.'),
    data: { kind: 'path', description: 'Folder of your copy of CREMA-D; required.' },
  },
  presets: {
    quick: {
      summary: 'to see everything work on a few clips, small frames and a narrow network',
      seeds: 1,
      settings: {
        'train-size': 256,
        'validation-size': 64,
        'test-size': 128,
        epochs: 2,
        'batch-size': 16,
        width: 8,
        'frame-size': 64,
      },
    },
    full: {
      summary:
        'the paper’s setting with a tenth of the training clips for validation; needs a fast backend and days',
      seeds: 3,
      settings: {
        'train-size': 6028,
        'validation-size': 670,
        'test-size': testClips,
        epochs: 50,
        'batch-size': 64,
        lr: 0.002,
        width: 64,
      },
    },
  },
  check: (settings) => {
    requireCopy('crema-d', whereToGet)(settings);
    checkSizes(settings, trainingClips);
  },
  open: async (settings, seed) => {
    const { width, frames, 'frame-size': frameSize } = settings;
    const { train, validation, test, classes } = await readCremaD({
      folder: settings.data,
      frames,
      frameSize,
      validationSize: settings['validation-size'],
      seed,
    });
    const network = multimodalNetwork({
      encoders: {
        audio: resnet18({
          name: 'audio',
          channels: 1,
          inputHeight: 257,
          inputWidth: 188,
          width,
          seed,
        }),
        image: resnet18({
          name: 'image',
          channels: 3,
          frames,
          inputHeight: frameSize,
          inputWidth: frameSize,
          width,
          seed,
        }),
      },
      modalityDropout: settings['modality-dropout'],
      classes: classes.length,
      seed,
    });
    return opened({
      network,
      data: {
        train: first(train, 'train-size', settings['train-size']),
        validation,
        test: first(test, 'test-size', settings['test-size']),
        prefetch: 2,
      },
      modalities: network.modalities,
      objectives: (batch, mode) => network.objectives(batch, batch.label, mode),
      predict: (batch) => network.forward(batch, { training: false }).multimodal,
      predictMasked: (batch, seen) => network.predict(batch, seen),
    });
  },
});
