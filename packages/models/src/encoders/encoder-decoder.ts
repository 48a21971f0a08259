import { MultigradError, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { input, layers, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { Doubled } from '../layers/doubled.ts';
import { assertPresent, countOption, weightOptions, type WeightOptions } from '../option-specs.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';
import { stage } from './stage.ts';

/** Descriptions of the options of {@link encoderDecoder} that have a default. */
const encoderDecoderOptions = {
  /** Channels of the first and the last convolution, an integer >= 1; each level has twice as many. @defaultValue 16 */
  width: {
    kind: 'number',
    default: 16,
    minimum: 1,
    integer: true,
    description: 'Channels of the first and the last convolution, an integer >= 1.',
  },
  /** Levels of pooling, an integer >= 1. @defaultValue 2 */
  levels: {
    kind: 'number',
    default: 2,
    minimum: 1,
    integer: true,
    description: 'Levels of pooling, an integer >= 1.',
  },
} as const;

/** Options of {@link encoderDecoder}. */
export interface EncoderDecoderOptions
  extends OptionsOf<typeof encoderDecoderOptions>, WeightOptions {
  /** The trunk's name, unique in a network; its variables are called `<name>/down1/conv/kernel` and so on. */
  readonly name: string;
  /** Channels of the input images, an integer >= 1. */
  readonly channels: number;
  /** Height of the input images, an integer that `2^levels` divides. */
  readonly inputHeight: number;
  /** Width of the input images, an integer that `2^levels` divides. */
  readonly inputWidth: number;
}

/**
 * A trunk for tasks with a target at every pixel: images in, maps of the same height and width out, n × height × width ×
 * `width`.
 *
 * For each level a convolution 3×3, batch norm, ReLU and a max-pool 2×2, with twice the channels of the level before; one
 * more convolution; then for each level back nearest-neighbour upsampling and a convolution, with half the channels.
 *
 * Stages, in their order: `down1`, `pool1`, `down2`, `pool2`, …, `middle`, …, `double2`, `up2`, `double1`, `up1`; a
 * convolution's stage has its batch norm and ReLU.
 *
 * @remarks
 * The shape of SegNet, which MTAN is described on, with fewer convolutions, and without the indices of the maxima.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { encoderDecoder } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const trunk = encoderDecoder({ name: 'trunk', channels: 3, inputHeight: 16, inputWidth: 24, width: 4, seed: 1 });
 * console.log((trunk.predict(tf.zeros([2, 16, 24, 3])) as tf.Tensor).shape); // [ 2, 16, 24, 4 ]
 * ```
 *
 * @see Badrinarayanan, Kendall and Cipolla, "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
 * Segmentation", IEEE TPAMI 2017 (https://arxiv.org/abs/1511.00561)
 */
export function encoderDecoder({ name, ...given }: EncoderDecoderOptions): LayersModel {
  assertLayerName('Option `name` of `encoderDecoder`', name);
  assertPresent('encoderDecoder', given, ['channels', 'inputHeight', 'inputWidth']);
  const options = resolveOptions('encoderDecoder', specs, given);
  const { channels, width, levels, inputHeight, inputWidth, seed, initialisation } = options;
  for (const [option, size] of Object.entries({ inputHeight, inputWidth })) {
    if (size % 2 ** levels === 0) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${option}\` of \`encoderDecoder\` should be divisible by ${2 ** levels}, for ${levels} levels. Found ${size}.`,
    );
  }
  const make = new SeededLayers(name, seed, initialisation);
  let from = channels;
  let scale = 1;
  const block = (layer: string, filters: number): LayersModel => {
    const shape = [inputHeight / scale, inputWidth / scale, from];
    const made = [
      make.convolution(`${layer}/conv`, from, { filters, kernelSize: 3, useBias: false }),
      make.norm(`${layer}/norm`),
      make.relu(`${layer}/relu`),
    ];
    from = filters;
    return stage(make.name(layer), shape, (x) => chain(x, made));
  };
  const stages: layers.Layer[] = [];
  for (let level = 1; level <= levels; level += 1) {
    stages.push(block(`down${level}`, width * 2 ** (level - 1)));
    stages.push(layers.maxPooling2d({ name: make.name(`pool${level}`), poolSize: 2, strides: 2 }));
    scale *= 2;
  }
  stages.push(block('middle', width * 2 ** levels));
  for (let level = levels; level >= 1; level -= 1) {
    stages.push(new Doubled({ name: make.name(`double${level}`) }));
    scale /= 2;
    stages.push(block(`up${level}`, width * 2 ** (level - 1)));
  }
  const image = input({ name: make.name('image'), shape: [inputHeight, inputWidth, channels] });
  return model({ name, inputs: image, outputs: chain(image, stages) });
}

const specs = {
  ...encoderDecoderOptions,
  ...weightOptions,
  channels: countOption('Channels of the input images', 1),
  inputHeight: countOption('Height of the input images', 32),
  inputWidth: countOption('Width of the input images', 32),
};
