import { MultigradError } from '@multigrad/core/strategy';
import { type IdxArray, parseIdx } from './idx.ts';

/** Height and width of a digit in pixels. */
export const digitSide = 28;

/** Pixels of a digit. */
export const digitPixels: number = digitSide * digitSide;

/** Number of classes. */
export const digitClasses = 10;

/** Handwritten digits with their labels. */
export interface Digits {
  /** `count · 784` gray values, 0 (background) to 255, row-major within each digit. */
  readonly images: Uint8Array;
  /** `count` labels, 0 to 9. */
  readonly labels: Uint8Array;
  /** Number of digits. */
  readonly count: number;
}

/** The MNIST data set, or one of the same format such as Fashion-MNIST. */
export interface Mnist {
  /** 60,000 digits in MNIST itself. */
  readonly train: Digits;
  /** 10,000 digits in MNIST itself. */
  readonly test: Digits;
}

/** The bytes of one IDX file and what to call it in error messages. */
export interface NamedBytes {
  readonly bytes: Uint8Array;
  readonly where: string;
}

/**
 * Digits from the bytes of an image file and a label file, checked; for runtimes without a file system.
 *
 * @throws MultigradError `invalid-data` when a file is malformed, images are not 28 × 28, there are none, the two files
 * differ in their number of samples, or a label exceeds 9
 *
 * @example
 * ```ts
 * import { parseDigits } from '@multigrad/datasets';
 *
 * const images = new Uint8Array(16 + 784); // one blank digit
 * images.set([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28]);
 * const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7);
 * const digits = parseDigits(
 *   { bytes: images, where: 'images of the example' },
 *   { bytes: labels, where: 'labels of the example' },
 * );
 * console.log(digits.count, digits.labels[0]); // 1 7
 * ```
 */
export function parseDigits(images: NamedBytes, labels: NamedBytes): Digits {
  const pixels = parseIdx(images.bytes, images.where);
  const classes = parseIdx(labels.bytes, labels.where);
  expectShape(pixels, images.where, `[count, ${digitSide}, ${digitSide}]`, [digitSide, digitSide]);
  expectShape(classes, labels.where, '[count]', []);
  const count = pixels.shape[0]!;
  if (count !== classes.shape[0]) {
    throw new MultigradError(
      'invalid-data',
      `Expected as many labels as images. Found ${classes.shape[0]!} labels in ${labels.where} ` +
        `and ${count} images in ${images.where}.`,
    );
  }
  const wrong = classes.values.findIndex((label) => label >= digitClasses);
  if (wrong >= 0) {
    throw new MultigradError(
      'invalid-data',
      `${labels.where}: expected labels from 0 to ${digitClasses - 1}. Found ${classes.values[wrong]!} at sample ${wrong}.`,
    );
  }
  return { images: pixels.values, labels: classes.values, count };
}

function expectShape(
  { shape }: IdxArray,
  where: string,
  expected: string,
  sampleShape: readonly number[],
): void {
  const fits =
    shape.length === sampleShape.length + 1 &&
    shape[0]! > 0 &&
    sampleShape.every((size, d) => shape[d + 1] === size);
  if (fits) return;
  throw new MultigradError(
    'invalid-data',
    `${where}: expected the shape ${expected} with count >= 1. Found [${shape.join(', ')}].`,
  );
}

/** Consecutive digits of a set, on the same memory. */
export function digitsFrom({ images, labels }: Digits, start: number, count: number): Digits {
  return {
    images: images.subarray(start * digitPixels, (start + count) * digitPixels),
    labels: labels.subarray(start, start + count),
    count,
  };
}
