import * as tf from '@tensorflow/tfjs-core';
import { makeProblem, referenceGradients, sizes } from './reference.ts';

/** What the self-test found on the backend in use. */
export interface SelfTest {
  /** Largest difference of a gradient from float64 central differences, relative to the largest gradient. */
  readonly gradientError: number;
  /** Billions of floating-point operations a second of a product of square matrices. */
  readonly matmul: number;
  /** The same of a 3 × 3 convolution, forward and backward. */
  readonly convolution: number;
}

/** The largest error of a gradient that float32 explains. */
export const gradientTolerance = 1e-5;

/**
 * Checks gradients of a small network and measures the speed of the backend in use.
 *
 * @param seconds - how long each of the two measurements may take
 * @param now - seconds on any clock
 * @param slow - whether it takes smaller sizes to keep to that
 */
export async function selfTest(
  seconds: number,
  now: () => number,
  slow: boolean = tf.getBackend() === 'cpu',
): Promise<SelfTest> {
  const gradientError = await checkGradients();
  const side = slow ? 96 : 512;
  const [a, b] = [tf.randomNormal([side, side]), tf.randomNormal([side, side])];
  const product = (): tf.Tensor => tf.matMul(a, b);
  const matmul = await speed(product, 2 * side ** 3, seconds, now);
  const [batch, plane, channels] = slow ? [1, 14, 16] : [16, 28, 32];
  const image = tf.randomNormal([batch, plane, plane, channels]);
  const filter = tf.randomNormal([3, 3, channels, channels]);
  const gradients = tf.grads((x, f) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, 'same'));
  const backward = (): tf.Tensor => {
    const [dx, df] = gradients([image, filter], image) as [tf.Tensor, tf.Tensor];
    return tf.add(tf.sum(dx), tf.sum(df));
  };
  // Forward, and once more for each of the two gradients.
  const operations = 3 * 2 * batch * plane ** 2 * 9 * channels ** 2;
  const convolution = await speed(backward, operations, seconds, now);
  tf.dispose([a, b, image, filter]);
  return { gradientError, matmul, convolution };
}

async function speed(
  compute: () => tf.Tensor,
  operations: number,
  seconds: number,
  now: () => number,
): Promise<number> {
  const once = async (): Promise<number> => {
    const began = now();
    // Reading a number waits for the device.
    const total = tf.tidy(() => tf.sum(compute()));
    await total.data();
    total.dispose();
    return now() - began;
  };
  await once();
  let best = Infinity;
  let spent = 0;
  while (spent < seconds) {
    const time = await once();
    best = Math.min(best, time);
    spent += time;
  }
  return operations / best / 1e9;
}

/** Relative error of the gradients of a small network against central differences in float64. */
async function checkGradients(): Promise<number> {
  const problem = makeProblem();
  const { batch, side, channels, classes } = sizes;
  const [filterGradient, weightGradient] = tf.tidy(() => {
    const images = tf.tensor4d([...problem.images], [batch, side, side, 1]);
    const labels = tf.oneHot(tf.tensor1d([...problem.labels], 'int32'), classes);
    const loss = (filter: tf.Tensor, weights: tf.Tensor): tf.Tensor => {
      const hidden = tf.relu(tf.conv2d(images, filter as tf.Tensor4D, 1, 'same'));
      const pooled = tf.reshape(tf.maxPool(hidden, 2, 2, 'valid'), [batch, -1]);
      const logits = tf.matMul(pooled, weights);
      return tf.losses.softmaxCrossEntropy(labels, logits);
    };
    const filter = tf.tensor([...problem.filter], [3, 3, 1, channels]);
    const weights = tf.tensor([...problem.weights], [problem.weights.length / classes, classes]);
    return tf.grads((f, w) => loss(f, w))([filter, weights]);
  }) as [tf.Tensor, tf.Tensor];
  const exact = referenceGradients(problem);
  const error = Math.max(
    relativeError(await filterGradient.data(), exact.filter),
    relativeError(await weightGradient.data(), exact.weights),
  );
  tf.dispose([filterGradient, weightGradient]);
  return error;
}

function relativeError(found: ArrayLike<number>, exact: readonly number[]): number {
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // NaN must not be lost in a maximum.
  return exact.reduce((worst, value, i) => {
    const error = Math.abs(found[i]! - value) / largest;
    return error <= worst ? worst : error;
  }, 0);
}
