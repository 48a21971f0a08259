import {
  assertFirstOrder,
  hasKernel,
  isDifferentiatedTwice,
  runKernel,
} from '@multigrad/core/kernels';
import { MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { missingLabel, oneHotOf } from './labels.ts';

/**
 * Mean softmax cross-entropy of integer labels, in nats:
 *
 * `L = (1/n) Σ_i (log Σ_c exp(z_ic) − z_{i, y_i})`, with `∂L/∂z_ic = (softmax(z_i)_c − [c = y_i])/n`.
 *
 * The largest logit of each row is subtracted first, so that no finite logits overflow. Samples with the label −1 have
 * none: the mean, and n, are over the others, so loss and gradient are those of the batch without them.
 *
 * @param logits - n × classes, float32
 * @param labels - n integers from 0 to `classes − 1`, or −1 where the label is missing, int32
 * @returns a scalar >= 0; NaN if a label is out of range or all are missing, on every backend and without reading the
 * labels back (see {@link assertLabels} for an error that names the label)
 * @throws MultigradError `invalid-argument` when shapes or types do not fit
 *
 * @example
 * ```ts
 * import { softmaxCrossEntropy } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const logits = tf.tensor2d([[0, 0], [0, 0]]);
 * const loss = softmaxCrossEntropy(logits, tf.tensor1d([0, 1], 'int32'));
 * console.log(loss.arraySync()); // log 2 = 0.693…
 * ```
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  assertLogitsAndLabels('softmaxCrossEntropy', logits, labels);
  if (isDifferentiatedTwice()) return tf.tidy(() => composedLoss(logits, labels));
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [z, save] = inputs as [tf.Tensor2D, tf.GradSaveFunc];
    const { value, slope } = hasKernel('SparseSoftmaxCrossEntropy')
      ? byKernel(z, labels)
      : composed(z, labels);
    save([slope]);
    return {
      value,
      gradFunc: (gradient: tf.Tensor, saved: tf.Tensor[]) => {
        assertFirstOrder('softmaxCrossEntropy');
        return tf.mul(saved[0]!, gradient);
      },
    };
  });
  return operation(logits) as tf.Scalar;
}

/** The mean loss, and its derivative by the logits. */
interface ValueAndSlope {
  readonly value: tf.Tensor;
  readonly slope: tf.Tensor;
}

function byKernel(logits: tf.Tensor2D, labels: tf.Tensor1D): ValueAndSlope {
  const [losses, gradient] = runKernel('SparseSoftmaxCrossEntropy', { logits, labels }) as [
    tf.Tensor,
    tf.Tensor,
  ];
  const count = tf.sum(tf.cast(tf.notEqual(labels, missingLabel), 'float32'));
  return { value: tf.div(tf.sum(losses), count), slope: tf.div(gradient, count) };
}

function composed(logits: tf.Tensor2D, labels: tf.Tensor1D): ValueAndSlope {
  const shifted = tf.sub(logits, tf.max(logits, 1, true));
  const exponentials = tf.exp(shifted);
  const total = tf.sum(exponentials, 1, true);
  const { target, present, count } = targetsOf(labels, logits.shape[1]);
  const logProbabilities = tf.sub(shifted, tf.log(total));
  const probabilities = tf.mul(tf.div(exponentials, total), present);
  return {
    value: tf.neg(tf.div(tf.sum(tf.mul(target, logProbabilities)), count)),
    slope: tf.div(tf.sub(probabilities, target), count),
  };
}

/** The loss of operations that TensorFlow.js differentiates any number of times. */
function composedLoss(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const { target, count } = targetsOf(labels, logits.shape[1]);
  return tf.neg(tf.div(tf.sum(tf.mul(target, tf.logSoftmax(logits))), count));
}

interface Targets {
  /** n × classes: 1 for the label, 0 elsewhere and where it is missing. */
  readonly target: tf.Tensor;
  /** n × 1: 1 where there is a label, else 0. */
  readonly present: tf.Tensor;
  /** Number of labels that are there. */
  readonly count: tf.Tensor;
}

function targetsOf(labels: tf.Tensor1D, classes: number): Targets {
  // The row of a label out of range is all zero: divided by its sum it becomes NaN, while zeros would mean "no loss".
  // The row of a missing label stays zero.
  const oneHot = oneHotOf(labels, classes);
  const missing = tf.cast(tf.equal(labels, missingLabel), 'float32');
  const present = tf.expandDims(tf.sub(1, missing), 1);
  const target = tf.div(oneHot, tf.add(tf.sum(oneHot, 1, true), tf.expandDims(missing, 1)));
  const count = tf.sum(present);
  return { target, present, count };
}

/**
 * Share of the labelled rows whose largest logit is that of their label, 0 to 1, as a scalar; it has no gradient.
 *
 * @param logits - n × classes, float32
 * @param labels - n integers, −1 where the label is missing, int32
 * @returns a scalar; NaN if all labels are missing
 * @throws MultigradError `invalid-argument` when shapes or types do not fit
 *
 * @example
 * ```ts
 * import { accuracy } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const logits = tf.tensor2d([[2, 1], [0, 3]]);
 * console.log(accuracy(logits, tf.tensor1d([0, 0], 'int32')).arraySync()); // 0.5
 * ```
 */
export function accuracy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  assertLogitsAndLabels('accuracy', logits, labels);
  return tf.tidy(() => {
    const hits = tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32');
    const present = tf.cast(tf.notEqual(labels, missingLabel), 'float32');
    return tf.div<tf.Scalar>(tf.sum(hits), tf.sum(present));
  });
}

/** The number of labels that are there, −1 being none, as a scalar. */
export function labelCount(labels: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() => tf.sum<tf.Scalar>(tf.cast(tf.notEqual(labels, missingLabel), 'float32')));
}

function assertLogitsAndLabels(owner: string, logits: tf.Tensor, labels: tf.Tensor): void {
  const fits =
    logits.rank === 2 &&
    logits.dtype === 'float32' &&
    logits.size > 0 &&
    labels.rank === 1 &&
    labels.dtype === 'int32' &&
    labels.size === logits.shape[0];
  if (fits) return;
  throw new MultigradError(
    'invalid-argument',
    `\`${owner}\` should get float32 logits of shape [n, classes] and int32 labels of shape [n], n >= 1. ` +
      `Found ${logits.dtype} [${logits.shape.join(', ')}] and ${labels.dtype} [${labels.shape.join(', ')}].`,
  );
}
