import {
  MultigradError,
  type OptionsOf,
  type OptionSpecs,
  type ResolvedOptions,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { MemorySource } from './batch-source.ts';
import { digitPixels, type Digits, digitsFrom, digitSide, type Mnist } from './mnist.ts';
import { sizeSpecs } from './size-options.ts';
import { assertPositions } from './positions.ts';

/** Height and width of a composite in pixels. */
const side = 36;

/** Where the right digit's first row and column lie; the left one's lie at 0. */
const offset = 6;

/** Descriptions of the options of the composites whose range does not depend on the digits. */
const overlaidDigitsOptions = {
  /**
   * Share of the right half's pixels that salt-and-pepper noise turns black or white, 0 to 1; 0.5 makes the right task
   * the much harder one.
   *
   * @defaultValue 0
   */
  noise: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1,
    description: "Share of the right half's pixels under salt-and-pepper noise, 0 to 1.",
  },
  /** Seed of the pairs and of the noise, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the pairs and of the noise, an integer >= 0.',
  },
} as const;

/** Options of the composites. */
export interface OverlaidDigitsOptions extends OptionsOf<typeof overlaidDigitsOptions> {
  /**
   * Number of training samples, an integer >= 1: the first digits of the training files are their left ones.
   *
   * @defaultValue all that `validationSize` leaves
   */
  readonly trainSize?: number;
  /**
   * Number of validation samples, an integer >= 0, made of the digits after those of the training samples.
   *
   * @defaultValue 0
   */
  readonly validationSize?: number;
  /**
   * Number of test samples, an integer >= 1, made of the first digits of the test files.
   *
   * @defaultValue all
   */
  readonly testSize?: number;
}

/** A batch of n composites with the classes of their two parts. */
export type OverlaidDigitBatch = Readonly<{
  /** n × 36 × 36 × 1, float32 from 0 (background) to 1. */
  image: tf.Tensor4D;
  /** n labels of the part at the left and top, int32. */
  left: tf.Tensor1D;
  /** n labels of the part at the right and bottom, int32. */
  right: tf.Tensor1D;
}>;

/** Composites of two digits; tensors are made a batch at a time. */
export interface OverlaidDigits extends MemorySource<OverlaidDigitBatch> {
  /** Labels of the left parts. */
  readonly left: Uint8Array;
  /** Labels of the right parts. */
  readonly right: Uint8Array;
}

/** Composites for training, validation and testing, made of different digits. */
export interface OverlaidDigitSets {
  readonly train: OverlaidDigits;
  /** Null where `validationSize` is 0. */
  readonly validation: OverlaidDigits | null;
  readonly test: OverlaidDigits;
}

/** Where a set's left and right parts come from. */
interface Parts {
  readonly left: Digits;
  readonly right: Digits;
}

/**
 * Composites of two data sets of digits (or of the same one twice).
 *
 * @param owner - the function that users called, for messages
 */
export function overlaidDigits(
  owner: string,
  left: Mnist,
  right: Mnist,
  given: OverlaidDigitsOptions,
): OverlaidDigitSets {
  const available = Math.min(left.train.count, right.train.count);
  const tests = Math.min(left.test.count, right.test.count);
  const { validationSize = 0 } = given;
  const options = resolveOptions(owner, specsFor(available, tests, validationSize), given);
  const { trainSize, testSize } = options;
  if (trainSize + validationSize > available) {
    throw new MultigradError(
      'invalid-option',
      `Options \`trainSize\` and \`validationSize\` of \`${owner}\` should add up to at most ${available}. ` +
        `Found ${trainSize + validationSize}.`,
    );
  }
  const set = (from: 'train' | 'test', start: number, count: number, name: string) =>
    compose(
      { left: digitsFrom(left[from], start, count), right: digitsFrom(right[from], start, count) },
      name,
      options,
    );
  return {
    train: set('train', 0, trainSize, 'train'),
    validation: validationSize === 0 ? null : set('train', trainSize, validationSize, 'validation'),
    test: set('test', 0, testSize, 'test'),
  };
}

function specsFor(
  available: number,
  tests: number,
  validationSize: number,
): OptionSpecs<OverlaidDigitsOptions> {
  return {
    ...sizeSpecs(available, tests, validationSize),
    ...overlaidDigitsOptions,
  };
}

function compose(
  { left, right }: Parts,
  set: string,
  { noise, seed }: ResolvedOptions<OverlaidDigitsOptions>,
): OverlaidDigits {
  const random = resumeRandom(randomState(seed, 'overlaid digits', set));
  const partners = Int32Array.from({ length: left.count }, () => random.integer(right.count));
  const canvas = new Float32Array(side * side);
  const draw = (sample: number): Float32Array => {
    canvas.fill(0);
    blend(canvas, left.images, sample, 0);
    blend(canvas, right.images, partners[sample]!, offset);
    if (noise > 0) saltAndPepper(canvas, noise, randomState(seed, 'salt and pepper', set, sample));
    return canvas;
  };
  const labels = {
    left: left.labels,
    right: Uint8Array.from(partners, (partner) => right.labels[partner]!),
  };
  return { count: left.count, ...labels, batch: (indices) => makeBatch(draw, labels, indices) };
}

/** Draws a digit onto the canvas, the brighter of both where there is one already. */
function blend(canvas: Float32Array, images: Uint8Array, sample: number, shift: number): void {
  for (let row = 0; row < digitSide; row++) {
    for (let column = 0; column < digitSide; column++) {
      const at = (row + shift) * side + column + shift;
      const value = images[sample * digitPixels + row * digitSide + column]! / 255;
      canvas[at] = Math.max(canvas[at]!, value);
    }
  }
}

function saltAndPepper(
  canvas: Float32Array,
  share: number,
  state: ReturnType<typeof randomState>,
): void {
  const random = resumeRandom(state);
  for (let row = 0; row < side; row++) {
    for (let column = side / 2; column < side; column++) {
      // One draw decides both: whether the pixel is hit, and which of the two it becomes.
      const chance = random.uniform();
      if (chance < share) canvas[row * side + column] = chance < share / 2 ? 0 : 1;
    }
  }
}

function makeBatch(
  draw: (sample: number) => Float32Array,
  { left, right }: { readonly left: Uint8Array; readonly right: Uint8Array },
  indices: Int32Array,
): OverlaidDigitBatch {
  assertPositions(indices, left.length);
  const size = indices.length;
  const image = new Float32Array(size * side * side);
  indices.forEach((sample, position) => {
    image.set(draw(sample), position * side * side);
  });
  const labels = (of: Uint8Array): tf.Tensor1D =>
    tf.tensor1d(
      indices.map((sample) => of[sample]!),
      'int32',
    );
  return {
    image: tf.tensor4d(image, [size, side, side, 1]),
    left: labels(left),
    right: labels(right),
  };
}
