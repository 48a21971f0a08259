import { type OptionSpecs, resolveOptions } from '@multigrad/core/strategy';
import { input, layers, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { assertPresent, countOption, initialisationOption, seedOption } from '../option-specs.ts';
import type { Initialisation } from '../weights/initialisation.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';

/** Options of {@link lenet}. */
export interface LenetOptions {
  /** The encoder's name, unique in a network; its variables are called `<name>/conv1/kernel` and so on. */
  readonly name: string;
  /** Channels of the input images, an integer >= 1. */
  readonly channels: number;
  /**
   * Channels of the first convolution, an integer >= 1.
   *
   * @defaultValue 10
   */
  readonly width?: number;
  /**
   * Channels of the second convolution, an integer >= 1.
   *
   * @defaultValue 20
   */
  readonly secondWidth?: number;
  /**
   * Length of the feature vector, an integer >= 1.
   *
   * @defaultValue 50
   */
  readonly features?: number;
  /**
   * Seed of the initial weights, an integer >= 0.
   *
   * @defaultValue 0
   */
  readonly seed?: number;
  /**
   * Distribution of the initial weights.
   *
   * @defaultValue 'pytorch'
   */
  readonly initialisation?: Initialisation;
  /**
   * Height of the input images in pixels, an integer >= 16.
   *
   * @defaultValue 36
   */
  readonly inputHeight?: number;
  /**
   * Width of the input images in pixels, an integer >= 16.
   *
   * @defaultValue 36
   */
  readonly inputWidth?: number;
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

const specs: OptionSpecs<Omit<LenetOptions, 'name'>> = {
  channels: countOption('Channels of the input images', 1),
  width: countOption('Channels of the first convolution', 10),
  secondWidth: countOption('Channels of the second convolution', 20),
  features: countOption('Length of the feature vector', 50),
  seed: seedOption,
  initialisation: initialisationOption,
  inputHeight: countOption('Height of the input images in pixels', 36, 16),
  inputWidth: countOption('Width of the input images in pixels', 36, 16),
};
