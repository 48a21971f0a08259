import { assertFirstOrder, isDifferentiatedTwice } from '@multigrad/core/kernels';
import { MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Mean squared error over the targets that are there: `L = (1/m) Σ (p − t)²`, m the number of targets that are not NaN.
 *
 * NaN marks a missing target: loss and gradient are those of the others alone.
 *
 * @param predictions - n × size, float32
 * @param targets - n × size, float32
 * @returns a scalar >= 0; NaN if all targets are missing
 * @throws MultigradError `invalid-argument` when shapes or types do not fit
 *
 * @example
 * ```ts
 * import { meanSquaredError } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const loss = meanSquaredError(tf.tensor2d([[1], [5], [9]]), tf.tensor2d([[2], [2], [NaN]]));
 * console.log(loss.arraySync()); // (1 + 9)/2 = 5
 * ```
 */
export function meanSquaredError(predictions: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  return meanOverPresent('meanSquaredError', predictions, targets, (difference) => ({
    loss: tf.square(difference),
    slope: tf.mul(difference, 2),
  }));
}

/**
 * Mean absolute error over the targets that are there: `L = (1/m) Σ |p − t|`, m the number of targets that are not NaN; the
 * usual loss for depth.
 *
 * @param predictions - n × size, float32
 * @param targets - n × size, float32; NaN where missing
 * @returns a scalar >= 0; NaN if all targets are missing
 * @throws MultigradError `invalid-argument` when shapes or types do not fit
 *
 * @example
 * ```ts
 * import { absoluteError } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const loss = absoluteError(tf.tensor2d([[1], [5], [9]]), tf.tensor2d([[2], [2], [NaN]]));
 * console.log(loss.arraySync()); // (1 + 3)/2 = 2
 * ```
 */
export function absoluteError(predictions: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  return meanOverPresent('absoluteError', predictions, targets, (difference) => ({
    loss: tf.abs(difference),
    slope: tf.sign(difference),
  }));
}

/**
 * Mean smooth absolute error (Huber's, over β) over the targets that are there: with `d = p − t`, `d²/2β` where
 * `|d| < β` and `|d| − β/2` elsewhere. NaN marks a missing target.
 *
 * @param predictions - n × size, float32
 * @param targets - n × size, float32
 * @param beta - where the square ends, > 0
 * @returns a scalar >= 0; NaN if all targets are missing
 * @throws MultigradError `invalid-argument` when shapes or types do not fit, or β is not > 0
 *
 * @example
 * ```ts
 * import { smoothL1 } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const loss = smoothL1(tf.tensor2d([[0.5], [3]]), tf.tensor2d([[0], [0]]));
 * console.log(loss.arraySync()); // (0.125 + 2.5)/2 = 1.3125
 * ```
 *
 * @see Girshick, "Fast R-CNN", ICCV 2015 (https://arxiv.org/abs/1504.08083), equation 3
 */
export function smoothL1(predictions: tf.Tensor2D, targets: tf.Tensor2D, beta = 1): tf.Scalar {
  if (!(Number.isFinite(beta) && beta > 0)) {
    throw new MultigradError(
      'invalid-argument',
      `\`beta\` of \`smoothL1\` should be a number > 0. Found ${beta}.`,
    );
  }
  return meanOverPresent('smoothL1', predictions, targets, (difference) => {
    // With c = d cut off at ± β, both pieces are c (d − c/2)/β.
    const cut = tf.clipByValue(difference, -beta, beta);
    return {
      loss: tf.div(tf.mul(cut, tf.sub(difference, tf.div(cut, 2))), beta),
      slope: tf.div(cut, beta),
    };
  });
}

/** Mean of an element-wise loss, given with its slope, over the elements whose target is not NaN. */
function meanOverPresent(
  owner: string,
  predictions: tf.Tensor2D,
  targets: tf.Tensor2D,
  measure: (difference: tf.Tensor) => { loss: tf.Tensor; slope: tf.Tensor },
): tf.Scalar {
  assertAlike(owner, predictions, targets);
  const meanOf = (p: tf.Tensor): { value: tf.Scalar; slope: tf.Tensor } => {
    const missing = tf.isNaN(targets);
    const count = tf.sum(tf.sub(1, tf.cast(missing, 'float32')));
    // A missing target counts as equal to its prediction.
    const difference = tf.where(missing, tf.zerosLike(p), tf.sub(p, targets));
    const { loss, slope } = measure(difference);
    return { value: tf.div(tf.sum(loss), count), slope: tf.div(slope, count) };
  };
  if (isDifferentiatedTwice()) return tf.tidy(() => meanOf(predictions).value);
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [p, save] = inputs as [tf.Tensor, tf.GradSaveFunc];
    const { value, slope } = meanOf(p);
    save([slope]);
    return {
      value,
      gradFunc: (gradient: tf.Tensor, saved: tf.Tensor[]) => {
        assertFirstOrder(owner);
        return tf.mul(saved[0]!, gradient);
      },
    };
  });
  return operation(predictions);
}

/** @throws MultigradError `invalid-argument` where predictions and targets are no float32 matrices of one shape */
export function assertAlike(owner: string, predictions: tf.Tensor, targets: tf.Tensor): void {
  const fits =
    predictions.rank === 2 &&
    predictions.size > 0 &&
    predictions.dtype === 'float32' &&
    targets.dtype === 'float32' &&
    tf.util.arraysEqual(predictions.shape, targets.shape);
  if (fits) return;
  throw new MultigradError(
    'invalid-argument',
    `\`${owner}\` should get float32 predictions and targets of the same shape [n, size], n >= 1. ` +
      `Found ${predictions.dtype} [${predictions.shape.join(', ')}] and ${targets.dtype} [${targets.shape.join(', ')}].`,
  );
}
