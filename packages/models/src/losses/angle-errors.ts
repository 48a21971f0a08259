import * as tf from '@tensorflow/tfjs-core';
import { MultigradError } from '@multigrad/core/strategy';
import { angles } from './cosine-distance.ts';

/**
 * Angles in degrees between predicted and given directions, over all batches of a data set: their mean, their median, which is
 * no mean over batches, and the shares of those below a limit.
 *
 * It keeps 4 bytes for each direction.
 *
 * @example
 * ```ts
 * import { AngleErrors } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const errors = new AngleErrors();
 * await errors.add(tf.tensor2d([[0, 0, -2], [0, 1, 0]]), tf.tensor2d([[0, 0, -1], [0, 0, -1]]));
 * await errors.add(tf.tensor2d([[1, 0, 0]]), tf.tensor2d([[0, 0, -1]]));
 * console.log(errors.mean(), errors.median()); // 60 90
 * console.log(errors.within(11.25)); // 1/3 = 0.333…
 * ```
 */
export class AngleErrors {
  readonly #batches: Float32Array[] = [];

  /**
   * Adds a batch: one read-back of a number for each direction; nothing stays on the device.
   *
   * @param predictions - n × … × size, float32, of any length; one of length 0 is 90 degrees away
   * @param targets - of the same shape, float32; directions with a NaN are missing
   * @throws MultigradError `invalid-argument` for other shapes or types
   */
  async add(predictions: tf.Tensor, targets: tf.Tensor): Promise<void> {
    const fits =
      predictions.rank >= 2 &&
      predictions.dtype === 'float32' &&
      targets.dtype === 'float32' &&
      tf.util.arraysEqual(predictions.shape, targets.shape);
    if (!fits) {
      throw new MultigradError(
        'invalid-argument',
        '`AngleErrors` should be given float32 predictions and targets of the same shape [n, …, size]. ' +
          `Found ${predictions.dtype} [${predictions.shape.join(', ')}] and ${targets.dtype} [${targets.shape.join(', ')}].`,
      );
    }
    const size = predictions.shape.at(-1)!;
    const signed = tf.tidy(() => {
      const rows = (x: tf.Tensor): tf.Tensor2D => tf.reshape<tf.Rank.R2>(x, [-1, size]);
      const { values, present } = angles(rows(predictions), rows(targets));
      // −1 marks a direction that is missing.
      return tf.sub(tf.mul(tf.add(values, 1), present), 1);
    });
    try {
      this.#batches.push((await signed.data<'float32'>()).filter((angle) => angle >= 0));
    } finally {
      signed.dispose();
    }
  }

  /** The mean angle in degrees, 0 to 180; NaN where nothing was added. */
  mean(): number {
    let [total, count] = [0, 0];
    for (const batch of this.#batches) {
      for (const angle of batch) total += angle;
      count += batch.length;
    }
    return total / count;
  }

  /** The median angle in degrees, of an even number the mean of the two in the middle; NaN where nothing was added. */
  median(): number {
    const all = new Float32Array(this.#count());
    let at = 0;
    for (const batch of this.#batches) {
      all.set(batch, at);
      at += batch.length;
    }
    all.sort();
    const last = all.length - 1;
    return ((all[Math.floor(last / 2)] ?? NaN) + (all[Math.ceil(last / 2)] ?? NaN)) / 2;
  }

  /** The share of angles below a limit in degrees, 0 to 1; NaN where nothing was added. */
  within(degrees: number): number {
    let below = 0;
    for (const batch of this.#batches) {
      for (const angle of batch) if (angle < degrees) below += 1;
    }
    return below / this.#count();
  }

  #count(): number {
    return this.#batches.reduce((count, batch) => count + batch.length, 0);
  }
}
