import type { AudioVisualDigitBatch } from '@multigrad/datasets';
import type { Experiment } from '@multigrad/experiment';
import { multimodalNetwork, temporalTransformer } from '@multigrad/models';
import * as tf from '@tensorflow/tfjs-core';
import { avDigitsExperiment } from './av-digits-base.ts';
import { widthSetting } from './shared-settings.ts';

/** Sequences of vectors: the image row by row, the sound frame by frame; the image with zero mean and unit deviation, roughly. */
function sequences({ image, audio }: AudioVisualDigitBatch): {
  image: tf.Tensor3D;
  audio: tf.Tensor3D;
} {
  return {
    image: tf.div(tf.sub(tf.squeeze<tf.Tensor3D>(image, [3]), 0.13), 0.31),
    audio: tf.transpose(tf.squeeze<tf.Tensor3D>(audio, [3]), [0, 2, 1]),
  };
}

/** Audio-visual digits with a transformer for each modality, joined by cross-attention. */
export const avDigitsTransformer: Experiment = avDigitsExperiment({
  name: 'av-digits-transformer',
  title: 'Audio-visual digits, transformers',
  about:
    'Both encoders are transformers, over the image’s rows and the sound’s frames; their features are joined by ' +
    'cross-attention.',
  sources: ['Vaswani et al., Attention Is All You Need, NeurIPS 2017, arXiv 1706.03762'],
  width: widthSetting(32, 'Width of the tokens, a multiple of 4.'),
  fusions: ['cross-attention'],
  network: ({ width, seed, ...options }) =>
    multimodalNetwork({
      encoders: {
        image: temporalTransformer({ name: 'image', length: 28, inputs: 28, width, seed }),
        audio: temporalTransformer({ name: 'audio', length: 32, inputs: 32, width, seed }),
      },
      ...options,
      classes: 10,
      seed,
    }),
  inputs: sequences,
});
