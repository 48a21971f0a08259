import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import { hasLabels, oneHotOf } from './labels.ts';

/**
 * How often which class was taken for which, over all batches of a data set: what mean intersection over union is made of, which
 * is no mean over batches.
 *
 * @example
 * ```ts
 * import { ConfusionCounts } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const counts = new ConfusionCounts(2);
 * await counts.add(tf.tensor2d([[2, 1], [0, 1]]), tf.tensor1d([0, 0], 'int32'));
 * await counts.add(tf.tensor2d([[0, 1], [0, 1]]), tf.tensor1d([1, -1], 'int32'));
 * console.log(counts.of(0, 1)); // 1
 * console.log(counts.meanIntersectionOverUnion()); // 0.5
 * ```
 */
export class ConfusionCounts {
  readonly #classes: number;
  readonly #counts: Float64Array;

  /**
   * @param classes - number of classes, an integer >= 2
   * @throws MultigradError `invalid-option`
   */
  constructor(classes: number) {
    if (!Number.isSafeInteger(classes) || classes < 2) {
      throw new MultigradError(
        'invalid-option',
        `Argument \`classes\` of \`ConfusionCounts\` should be an integer >= 2. Found ${describeValue(classes)}.`,
      );
    }
    this.#classes = classes;
    this.#counts = new Float64Array(classes * classes);
  }

  /**
   * Adds a batch: one read-back of classes × classes numbers; nothing stays on the device. Exact up to 2^24 labels in a batch.
   *
   * @param logits - n × … × classes, float32; the greatest one is the class that is predicted
   * @param labels - n × …, int32; −1 where one is missing
   * @throws MultigradError `invalid-argument` for other shapes or types, `invalid-data` for a label out of range where labels
   *   can be read without waiting for a device
   */
  async add(logits: tf.Tensor, labels: tf.Tensor): Promise<void> {
    const classes = this.#classes;
    const fits =
      labels.dtype === 'int32' && String([...labels.shape, classes]) === String(logits.shape);
    if (!fits) {
      throw new MultigradError(
        'invalid-argument',
        `\`ConfusionCounts\` should be given logits [n, …, ${classes}] and int32 labels [n, …]. ` +
          `Found ${logits.dtype} [${logits.shape.join(', ')}] and ${labels.dtype} [${labels.shape.join(', ')}].`,
      );
    }
    const matrix = tf.tidy(() => {
      const flat = tf.reshape<tf.Rank.R1>(labels, [labels.size]);
      hasLabels(flat, classes, 'labels of `ConfusionCounts`');
      const found = tf.argMax<tf.Tensor1D>(tf.reshape(logits, [labels.size, classes]), 1);
      return tf.matMul(oneHotOf(flat, classes), oneHotOf(found, classes), true);
    });
    try {
      (await matrix.data()).forEach((count, at) => {
        this.#counts[at]! += count;
      });
    } finally {
      matrix.dispose();
    }
  }

  /** How many samples of one class were taken for another, or for itself. */
  of(label: number, predicted: number): number {
    return this.#counts[label * this.#classes + predicted]!;
  }

  /**
   * The mean over classes of `|P ∩ T| / |P ∪ T|`, 0 to 1, with P the samples that are taken for the class and T those that are of
   * it; classes that neither has take no part. NaN where nothing was added.
   */
  meanIntersectionOverUnion(): number {
    const all = Array.from({ length: this.#classes }, (_, k) => k);
    const total = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0);
    const ratios = all.flatMap((k) => {
      const both = this.of(k, k);
      const either = total(all.map((j) => this.of(k, j) + this.of(j, k))) - both;
      return either === 0 ? [] : [both / either];
    });
    return total(ratios) / ratios.length;
  }
}
