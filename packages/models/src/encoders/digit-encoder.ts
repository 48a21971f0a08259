import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { input, layers, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { assertPresent, countOption, weightOptions, type WeightOptions } from '../option-specs.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';

/** Descriptions of the options of {@link digitEncoder}. */
const digitEncoderOptions = {
  /** Channels of the first two convolutions, an integer >= 1; the last two have twice as many. @defaultValue 32 */
  width: {
    kind: 'number',
    default: 32,
    minimum: 1,
    integer: true,
    description: 'Channels of the first two convolutions, an integer >= 1.',
  },
  /** Length of the feature vector, an integer >= 1. @defaultValue 512 */
  features: {
    kind: 'number',
    default: 512,
    minimum: 1,
    integer: true,
    description: 'Length of the feature vector, an integer >= 1.',
  },
  /** Height of the input images in pixels, an integer >= 1. @defaultValue 28 */
  inputHeight: {
    kind: 'number',
    default: 28,
    minimum: 1,
    integer: true,
    description: 'Height of the input images in pixels, an integer >= 1.',
  },
  /** Width of the input images in pixels, an integer >= 1. @defaultValue 28 */
  inputWidth: {
    kind: 'number',
    default: 28,
    minimum: 1,
    integer: true,
    description: 'Width of the input images in pixels, an integer >= 1.',
  },
} as const;

/** Options of {@link digitEncoder}. */
export interface DigitEncoderOptions extends OptionsOf<typeof digitEncoderOptions>, WeightOptions {
  /** The encoder's name, unique in a network; its variables are called `<name>/conv1/kernel` and so on. */
  readonly name: string;
  /** Channels of the input images, an integer >= 1. */
  readonly channels: number;
}

/**
 * A convolutional encoder for small images: batch of height × width × channels in, batch of feature vectors out.
 *
 * Batch norm → conv 5×5 (width) → max-pool 3×3 / 2 → conv 3×3 (width) → conv 3×3 / 2 (2 width) → conv 3×3 (2 width) →
 * global average → dense (features), with a ReLU after each convolution and after the dense layer.
 *
 * Stages, behind which streams may exchange features: `norm`, `conv1`, `pool`, `conv2`, `conv3`, `conv4`, `average`,
 * `dense`.
 *
 * @remarks
 * Strided windows follow TensorFlow's `same` padding: on even sizes the odd row and column of padding is at the end,
 * where PyTorch's symmetric padding of 1 puts one at the start. Output sizes are the same.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { digitEncoder } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const encoder = digitEncoder({ name: 'gray', channels: 1, width: 4, features: 16, seed: 1 });
 * const features = encoder.predict(tf.zeros([2, 28, 28, 1])) as tf.Tensor;
 * console.log(features.shape, encoder.trainableWeights.length); // [ 2, 16 ] 12
 * ```
 *
 * @see The encoder of Fan et al., "PMR: Prototypical Modal Rebalance for Multimodal Learning", CVPR 2023
 * (https://arxiv.org/abs/2211.07089), for coloured-and-gray MNIST
 */
export function digitEncoder({ name, ...given }: DigitEncoderOptions): LayersModel {
  assertLayerName('Option `name` of `digitEncoder`', name);
  assertPresent('digitEncoder', given, ['channels']);
  const options = resolveOptions('digitEncoder', specs, given);
  const { channels, width, features, seed, initialisation } = options;
  const make = new SeededLayers(name, seed, initialisation);
  const convolution = (
    layer: string,
    from: number,
    filters: number,
    kernelSize: number,
    strides = 1,
  ) => make.convolution(layer, from, { filters, kernelSize, strides, activation: 'relu' });
  const stages: layers.Layer[] = [
    make.norm('norm'),
    convolution('conv1', channels, width, 5),
    layers.maxPooling2d({ name: make.name('pool'), poolSize: 3, strides: 2, padding: 'same' }),
    convolution('conv2', width, width, 3),
    convolution('conv3', width, 2 * width, 3, 2),
    convolution('conv4', 2 * width, 2 * width, 3),
    layers.globalAveragePooling2d({ name: make.name('average') }),
    make.dense('dense', 2 * width, features, 'relu'),
  ];
  const image = input({
    name: `${name}/image`,
    shape: [options.inputHeight, options.inputWidth, channels],
  });
  return model({ name, inputs: image, outputs: chain(image, stages) });
}

const specs = {
  ...digitEncoderOptions,
  ...weightOptions,
  channels: countOption('Channels of the input images', 1),
};
