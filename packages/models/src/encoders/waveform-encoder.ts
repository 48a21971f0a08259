import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { input, layers, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { GlobalAverage } from '../layers/global-average.ts';
import { assertPresent, countOption, weightOptions, type WeightOptions } from '../option-specs.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';

/** Descriptions of the options of {@link waveformEncoder}. */
const waveformEncoderOptions = {
  /** Channels of the sound, an integer >= 1. @defaultValue 1 */
  channels: {
    kind: 'number',
    default: 1,
    minimum: 1,
    integer: true,
    description: 'Channels of the sound, an integer >= 1.',
  },
  /**
   * Channels of the first two convolutions, an integer >= 1; the feature vector has four times as many.
   *
   * @defaultValue 32
   */
  width: {
    kind: 'number',
    default: 32,
    minimum: 1,
    integer: true,
    description: 'Channels of the first two convolutions, an integer >= 1.',
  },
  /** Width of the first convolution in samples, an integer >= 1: 80 is 10 ms at 8 kHz. @defaultValue 80 */
  window: {
    kind: 'number',
    default: 80,
    minimum: 1,
    integer: true,
    description: 'Width of the first convolution in samples, an integer >= 1.',
  },
  /**
   * Whether the features are averaged over time; else they stay a sequence, which cross-attention takes as tokens.
   *
   * @defaultValue true
   */
  pool: {
    kind: 'boolean',
    default: true,
    description: 'Whether the features are averaged over time.',
  },
} as const;

/** Options of {@link waveformEncoder}. */
export interface WaveformEncoderOptions
  extends OptionsOf<typeof waveformEncoderOptions>, WeightOptions {
  /** The encoder's name, unique in a network; its variables are called `<name>/conv1/kernel` and so on. */
  readonly name: string;
  /** Samples of sound, an integer >= 1. */
  readonly length: number;
}

/**
 * A one-dimensional convolutional encoder of raw sound, n × length × channels in, n × 4·width out: the network M5.
 *
 * Conv window / 4 (width) → conv 3 (width) → conv 3 (2 width) → conv 3 (4 width), each with batch norm, a ReLU and a
 * max-pool 4, then the average over time. Stages: `conv1`, `norm1`, `relu1`, `pool1`, …, `pool4`, `average`.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { waveformEncoder } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const encoder = waveformEncoder({ name: 'sound', length: 4000, width: 2 });
 * console.log((encoder.predict(tf.zeros([1, 4000, 1])) as tf.Tensor).shape); // [ 1, 8 ]
 * ```
 *
 * @see Dai, Dai, Qu, Li and Das, "Very Deep Convolutional Neural Networks for Raw Waveforms", ICASSP 2017
 * (https://arxiv.org/abs/1610.00087), table 1
 */
export function waveformEncoder({ name, ...given }: WaveformEncoderOptions): LayersModel {
  assertLayerName('Option `name` of `waveformEncoder`', name);
  assertPresent('waveformEncoder', given, ['length']);
  const options = resolveOptions('waveformEncoder', specs, given);
  const { channels, width, window } = options;
  const make = new SeededLayers(name, options.seed, options.initialisation);
  const block = (k: number, from: number, filters: number, kernelSize: number, strides: number) => [
    make.convolution1d(`conv${k}`, from, { filters, kernelSize, strides, useBias: false }),
    make.norm(`norm${k}`),
    make.relu(`relu${k}`),
    layers.maxPooling1d({ name: make.name(`pool${k}`), poolSize: 4, strides: 4, padding: 'same' }),
  ];
  const stages: layers.Layer[] = [
    ...block(1, channels, width, window, 4),
    ...block(2, width, width, 3, 1),
    ...block(3, width, 2 * width, 3, 1),
    ...block(4, 2 * width, 4 * width, 3, 1),
    ...(options.pool ? [new GlobalAverage({ name: make.name('average') })] : []),
  ];
  const sound = input({ name: make.name('sound'), shape: [options.length, channels] });
  return model({ name, inputs: sound, outputs: chain(sound, stages) });
}

const specs = {
  ...waveformEncoderOptions,
  ...weightOptions,
  length: countOption('Samples of sound', 8000),
};
