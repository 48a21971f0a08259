import {
  type OptionsOf,
  type OptionSpecs,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { MemorySource } from './batch-source.ts';
import { digitColors } from './digit-colors.ts';
import {
  digitClasses,
  digitPixels,
  type Digits,
  digitsFrom,
  digitSide,
  type Mnist,
} from './mnist.ts';
import { assertPositions } from './positions.ts';

/** Descriptions of the options of {@link cgMnist} whose range does not depend on the digits. */
const cgMnistOptions = {
  /**
   * Variance of each colour channel around its mean, for channels from 0 to 1, a number >= 0. The smaller it is, the
   * more surely colour gives the digit away in training; 0.02 to 0.05 is usual.
   *
   * @defaultValue 0.03
   */
  variance: {
    kind: 'number',
    default: 0.03,
    minimum: 0,
    description: 'Variance of each colour channel around its mean, a number >= 0.',
  },
  /** Seed of the colours, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the colours, an integer >= 0.',
  },
} as const;

/** Options of {@link cgMnist}. */
export interface CgMnistOptions extends OptionsOf<typeof cgMnistOptions> {
  /** The digits to colour. */
  readonly mnist: Mnist;
  /**
   * Number of training digits, an integer >= 1: the first ones of `mnist.train`.
   *
   * @defaultValue all
   */
  readonly trainSize?: number;
  /**
   * Number of test digits, an integer >= 1: the first ones of `mnist.test`.
   *
   * @defaultValue all
   */
  readonly testSize?: number;
}

/** A batch of n digits, each as a gray and as a coloured image. */
export type ColoredDigitBatch = Readonly<{
  /** n × 28 × 28 × 1, float32 from 0 (background) to 1. */
  gray: tf.Tensor4D;
  /** n × 28 × 28 × 3, float32 from 0 (background) to 1. */
  color: tf.Tensor4D;
  /** n labels, int32 from 0 to 9. */
  label: tf.Tensor1D;
}>;

/** Digits, each with a colour of its own; tensors are made a batch at a time. */
export interface ColoredDigits extends MemorySource<ColoredDigitBatch> {
  /** The gray digits. */
  readonly digits: Digits;
  /** `count · 3` float32 values from 0 to 1: red, green and blue of each digit. */
  readonly colors: Float32Array;
}

/** Coloured-and-gray MNIST. */
export interface CgMnist {
  /** Digits whose colours give their labels away. */
  readonly train: ColoredDigits;
  /** Digits whose colours say nothing about their labels. */
  readonly test: ColoredDigits;
}

/**
 * Coloured-and-gray MNIST: each digit as a gray and as a coloured image, two modalities of which colour is easy to
 * learn from and misleads at test time.
 *
 * The coloured image is `gray ⊗ c` with one colour `c = clip(m + √variance · n, 0, 1)`, n standard normal, for each
 * digit. Training: m is the mean colour of the digit's label. Test: m is drawn uniformly from the ten mean colours. A
 * sample's colour depends on `seed`, `variance` and its position, not on the sizes.
 *
 * @remarks
 * A subset is the first digits of the file, not a random sample: MNIST's order is already mixed, and so a size means
 * the same digits to every seed and every program.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { batches, cgMnist, readMnist } from '@multigrad/datasets';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const { train, test } = cgMnist({ mnist: await readMnist(), trainSize: 20_000, seed: 1 });
 * console.log(train.count, test.count); // 20000 10000
 * for await (const batch of batches(test, { batchSize: 500, firstBatch: 19 })) {
 *   console.log(batch.gray.shape, batch.color.shape, batch.label.shape);
 *   tf.dispose(batch);
 * }
 * ```
 *
 * @see Kim, Kim, Kim, Kim and Kim, "Learning Not to Learn: Training Deep Neural Networks with Biased Data", CVPR 2019
 * (https://arxiv.org/abs/1812.10352), section 4.1; as two modalities: Fan et al., "PMR: Prototypical Modal Rebalance for
 * Multimodal Learning", CVPR 2023 (https://arxiv.org/abs/2211.07089)
 */
export function cgMnist({ mnist, ...given }: CgMnistOptions): CgMnist {
  const { trainSize, testSize, variance, seed } = resolveOptions('cgMnist', specsFor(mnist), given);
  const deviation = Math.sqrt(variance);
  return {
    train: coloredDigits(mnist.train, trainSize, (digits) => {
      const random = resumeRandom(randomState(seed, 'cg-mnist', 'train'));
      return drawColors(digits, deviation, random, (i) => digits.labels[i]!);
    }),
    test: coloredDigits(mnist.test, testSize, (digits) => {
      const random = resumeRandom(randomState(seed, 'cg-mnist', 'test'));
      return drawColors(digits, deviation, random, () => random.integer(digitClasses));
    }),
  };
}

function specsFor({ train, test }: Mnist): OptionSpecs<Omit<CgMnistOptions, 'mnist'>> {
  const size = (digits: Digits, which: string) =>
    ({
      kind: 'number',
      default: digits.count,
      minimum: 1,
      maximum: digits.count,
      integer: true,
      description: `Number of ${which} digits, an integer >= 1.`,
    }) as const;
  return {
    trainSize: size(train, 'training'),
    testSize: size(test, 'test'),
    ...cgMnistOptions,
  };
}

/** One colour for each digit, in order: first its mean, then its three channels. */
function drawColors(
  { count }: Digits,
  deviation: number,
  random: { normal(): number },
  meanOf: (index: number) => number,
): Float32Array {
  const colors = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const mean = digitColors[meanOf(i)]!;
    for (let channel = 0; channel < 3; channel++) {
      const value = mean[channel]! / 255 + deviation * random.normal();
      colors[3 * i + channel] = Math.min(1, Math.max(0, value));
    }
  }
  return colors;
}

function coloredDigits(
  all: Digits,
  count: number,
  colorsOf: (digits: Digits) => Float32Array,
): ColoredDigits {
  const digits = digitsFrom(all, 0, count);
  const colors = colorsOf(digits);
  return { count, digits, colors, batch: (indices) => makeBatch(digits, colors, indices) };
}

/** Gray values as numbers from 0 to 1. */
const unitGray: Float32Array = Float32Array.from({ length: 256 }, (_, value) => value / 255);

function makeBatch(
  { images, labels }: Digits,
  colors: Float32Array,
  indices: Int32Array,
): ColoredDigitBatch {
  assertPositions(indices, labels.length);
  const size = indices.length;
  const gray = new Float32Array(size * digitPixels);
  const color = new Float32Array(3 * size * digitPixels);
  const label = new Int32Array(size);
  let at = 0;
  indices.forEach((sample, position) => {
    label[position] = labels[sample]!;
    const red = colors[3 * sample]!;
    const green = colors[3 * sample + 1]!;
    const blue = colors[3 * sample + 2]!;
    const first = sample * digitPixels;
    for (let pixel = first; pixel < first + digitPixels; pixel++, at++) {
      const value = unitGray[images[pixel]!]!;
      gray[at] = value;
      color[3 * at] = value * red;
      color[3 * at + 1] = value * green;
      color[3 * at + 2] = value * blue;
    }
  });
  return {
    gray: tf.tensor4d(gray, [size, digitSide, digitSide, 1]),
    color: tf.tensor4d(color, [size, digitSide, digitSide, 3]),
    label: tf.tensor1d(label, 'int32'),
  };
}
