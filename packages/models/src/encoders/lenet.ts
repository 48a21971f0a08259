import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { input, layers, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { assertPresent, countOption, weightOptions, type WeightOptions } from '../option-specs.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';

/** Descriptions of the options of {@link lenet}. */
const lenetOptions = {
  /** Channels of the first convolution, an integer >= 1. @defaultValue 10 */
  width: {
    kind: 'number',
    default: 10,
    minimum: 1,
    integer: true,
    description: 'Channels of the first convolution, an integer >= 1.',
  },
  /** Channels of the second convolution, an integer >= 1. @defaultValue 20 */
  secondWidth: {
    kind: 'number',
    default: 20,
    minimum: 1,
    integer: true,
    description: 'Channels of the second convolution, an integer >= 1.',
  },
  /** Length of the feature vector, an integer >= 1. @defaultValue 50 */
  features: {
    kind: 'number',
    default: 50,
    minimum: 1,
    integer: true,
    description: 'Length of the feature vector, an integer >= 1.',
  },
  /** Height of the input images in pixels, an integer >= 16. @defaultValue 36 */
  inputHeight: {
    kind: 'number',
    default: 36,
    minimum: 16,
    integer: true,
    description: 'Height of the input images in pixels, an integer >= 16.',
  },
  /** Width of the input images in pixels, an integer >= 16. @defaultValue 36 */
  inputWidth: {
    kind: 'number',
    default: 36,
    minimum: 16,
    integer: true,
    description: 'Width of the input images in pixels, an integer >= 16.',
  },
} as const;

/** Options of {@link lenet}. */
export interface LenetOptions extends OptionsOf<typeof lenetOptions>, WeightOptions {
  /** The encoder's name, unique in a network; its variables are called `<name>/conv1/kernel` and so on. */
  readonly name: string;
  /** Channels of the input images, an integer >= 1. */
  readonly channels: number;
}

/**
 * LeNet, the usual trunk for MultiMNIST: batch of height × width × channels in, batch of feature vectors out.
 *
 * Conv 5×5 (width) → max-pool 2×2 → ReLU → conv 5×5 (secondWidth) → max-pool 2×2 → ReLU → dense (features) → ReLU, with
 * no padding. The defaults are those of the multi-task literature for images of 36 × 36 pixels.
 *
 * Stages: `conv1`, `pool1`, `conv2`, `pool2`, `flatten`, `dense`; a convolution's stage includes its ReLU, which a
 * max-pool commutes with.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { lenet } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const encoder = lenet({ name: 'trunk', channels: 1, seed: 1 });
 * console.log((encoder.predict(tf.zeros([2, 36, 36, 1])) as tf.Tensor).shape); // [ 2, 50 ]
 * ```
 *
 * @see LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 1998
 * @see Sener and Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018
 * (https://arxiv.org/abs/1810.04650), section 5.1
 */
export function lenet({ name, ...given }: LenetOptions): LayersModel {
  assertLayerName('Option `name` of `lenet`', name);
  assertPresent('lenet', given, ['channels']);
  const options = resolveOptions('lenet', specs, given);
  const { channels, width, secondWidth, features, inputHeight, inputWidth } = options;
  const make = new SeededLayers(name, options.seed, options.initialisation);
  const convolution = (layer: string, from: number, filters: number): layers.Layer =>
    make.convolution(layer, from, {
      filters,
      kernelSize: 5,
      padding: 'valid',
      activation: 'relu',
    });
  const pool = (layer: string): layers.Layer =>
    layers.maxPooling2d({ name: make.name(layer), poolSize: 2, strides: 2 });
  const [rows, columns] = [inputHeight, inputWidth].map(sizeBehind) as [number, number];
  const stages = [
    convolution('conv1', channels, width),
    pool('pool1'),
    convolution('conv2', width, secondWidth),
    pool('pool2'),
    layers.flatten({ name: make.name('flatten') }),
    make.dense('dense', rows * columns * secondWidth, features, 'relu'),
  ];
  const image = input({ name: make.name('image'), shape: [inputHeight, inputWidth, channels] });
  return model({ name, inputs: image, outputs: chain(image, stages) });
}

/** The length of a side after two rounds of a 5-wide convolution and a 2-wide pool. */
function sizeBehind(side: number): number {
  return Math.floor((Math.floor((side - 4) / 2) - 4) / 2);
}

const specs = {
  ...lenetOptions,
  ...weightOptions,
  channels: countOption('Channels of the input images', 1),
};
