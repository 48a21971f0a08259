import type { Mnist } from './mnist.ts';
import {
  overlaidDigits,
  type OverlaidDigitSets,
  type OverlaidDigitsOptions,
} from './overlaid-digits.ts';

/** Options of {@link multiMnist}. */
export interface MultiMnistOptions extends OverlaidDigitsOptions {
  /** The digits to compose. */
  readonly mnist: Mnist;
}

/** Options of {@link fashionAndDigit}. */
export interface FashionAndDigitOptions extends OverlaidDigitsOptions {
  /** The pieces of clothing, at the left. */
  readonly fashion: Mnist;
  /** The digits, at the right. */
  readonly mnist: Mnist;
}

/**
 * MultiMNIST: two digits in one image, each shifted towards a corner; one task names the left digit, the other the right.
 *
 * A composite of 36 × 36 pixels is the pixelwise maximum of digit i at row and column 0 and a random digit of the same
 * set at row and column 6. With `noise`, each pixel of the right half is black or white, with equal odds, with that
 * probability: 0.5 makes the right task much the harder one.
 *
 * @remarks
 * Sener and Koltun shrink composites to 28 × 28 by taking nearest pixels; here they keep their size. Validation samples
 * are made of other digits than training samples. A sample depends on `seed` and its position in its set.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { multiMnist, readMnist } from '@multigrad/datasets';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const { train } = multiMnist({ mnist: await readMnist(), trainSize: 1000, noise: 0.5, seed: 1 });
 * const batch = train.batch(Int32Array.of(0, 1, 2));
 * console.log(batch.image.shape, batch.left.shape, batch.right.shape); // [ 3, 36, 36, 1 ] [ 3 ] [ 3 ]
 * ```
 *
 * @see Sabour, Frosst and Hinton, "Dynamic Routing Between Capsules", NeurIPS 2017 (https://arxiv.org/abs/1710.09829);
 * as two tasks: Sener and Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018
 * (https://arxiv.org/abs/1810.04650), section 5.1; with noise: Wei and Hu, "MMPareto", ICML 2024
 * (https://arxiv.org/abs/2405.17730)
 */
export function multiMnist({ mnist, ...options }: MultiMnistOptions): OverlaidDigitSets {
  return overlaidDigits('multiMnist', mnist, mnist, options);
}

/**
 * A piece of clothing and a digit in one image: the tasks of MultiMNIST made unlike each other.
 *
 * Composites are those of {@link multiMnist}, with Fashion-MNIST at the left and MNIST at the right.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { fashionAndDigit, readMnist } from '@multigrad/datasets';
 *
 * const mnist = await readMnist(); // stands in for `await readFashionMnist()`
 * const { train, validation } = fashionAndDigit({ fashion: mnist, mnist, trainSize: 500, validationSize: 100 });
 * console.log(train.count, validation?.count); // 500 100
 * ```
 *
 * @see Lin, Zhen, Li, Zhang and Kwong, "Pareto Multi-Task Learning", NeurIPS 2019 (https://arxiv.org/abs/1912.12854),
 * section 5.2
 */
export function fashionAndDigit({
  fashion,
  mnist,
  ...options
}: FashionAndDigitOptions): OverlaidDigitSets {
  return overlaidDigits('fashionAndDigit', fashion, mnist, options);
}
