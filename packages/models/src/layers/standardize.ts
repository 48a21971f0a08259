import {
  assertFirstOrder,
  hasKernel,
  isDifferentiatedTwice,
  layerNorm,
  runKernel,
} from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';

/** Receives mean and variance of each channel over a batch; they are valid during the call. */
export type ReceiveMoments = (mean: tf.Tensor, variance: tf.Tensor) => void;

/**
 * `y = γ · (x − μ)/√(σ² + ε) + β` with mean and variance of each channel (the last axis) over everything else, and the
 * total derivative, through μ and σ² too: one kernel each way where the backend has them.
 */
export function normalizeBatch(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  epsilon: number,
  receive: ReceiveMoments,
): tf.Tensor {
  const kernels = hasKernel('BatchNormTraining') && hasKernel('BatchNormTrainingGrad');
  if (!kernels || isDifferentiatedTwice()) {
    return scaleAndShift(standardize(x, epsilon, receive), gamma, beta);
  }
  return byKernels([x, gamma, beta], epsilon, receive);
}

/**
 * Each channel (the last axis) at zero mean and unit variance over everything else: `x̂ = (x − μ)/√(σ² + ε)`, with the
 * total derivative, through μ and σ² too:
 *
 * `∂L/∂x = (g − mean(g) − x̂ · mean(g · x̂))/√(σ² + ε)`, g = ∂L/∂x̂.
 *
 * TensorFlow.js composes this of some thirty operations a backward pass, half of them broadcasts, which its wasm backend does
 * slowly; here it takes five.
 */
export function standardize(x: tf.Tensor, epsilon: number, receive: ReceiveMoments): tf.Tensor {
  if (isDifferentiatedTwice()) {
    return tf.tidy(() => {
      const { mean, variance } = tf.moments(x, axesBeforeLast(x));
      receive(mean, variance);
      return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
    });
  }
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, save] = inputs as [tf.Tensor, tf.GradSaveFunc];
    const { mean, variance } = tf.moments(input, axesBeforeLast(input));
    receive(mean, variance);
    const inverseDeviation = tf.rsqrt(tf.add(variance, epsilon));
    const value = tf.batchNorm(input, mean, variance, undefined, undefined, epsilon);
    save([value, inverseDeviation]);
    return {
      value,
      gradFunc: (gradient: tf.Tensor, saved: tf.Tensor[]) => {
        assertFirstOrder('a batch normalisation');
        const [standardized, scale] = saved as [tf.Tensor, tf.Tensor];
        const axes = axesBeforeLast(gradient);
        const shift = tf.mean(gradient, axes);
        const slope = tf.mean(tf.mul(gradient, standardized), axes);
        const along = affine(standardized, slope, shift);
        return affine(tf.sub(gradient, along), scale, tf.zerosLike(scale));
      },
    };
  });
  return operation(x);
}

/**
 * `y = γ · x + β`, channel by channel (the last axis), with `∂L/∂γ = Σ g · x`, `∂L/∂β = Σ g`, `∂L/∂x = γ · g`.
 */
export function scaleAndShift(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, scale, shift, save] = inputs as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.GradSaveFunc,
    ];
    save([input, scale]);
    return {
      value: affine(input, scale, shift),
      gradFunc: (gradient: tf.Tensor, saved: tf.Tensor[]) => {
        const [savedInput, savedScale] = saved as [tf.Tensor, tf.Tensor];
        const axes = axesBeforeLast(gradient);
        return [
          affine(gradient, savedScale, tf.zerosLike(savedScale)),
          tf.sum(tf.mul(gradient, savedInput), axes),
          tf.sum(gradient, axes),
        ];
      },
    };
  });
  return operation(x, gamma, beta);
}

/**
 * `scale · x + shift`, channel by channel, as a batch normalisation with mean 0 and variance 1: one kernel, where
 * TensorFlow.js's wasm backend takes several times as long for a product and a sum that broadcast.
 */
function affine(x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor {
  const mean = tf.zerosLike(scale);
  const variance = tf.onesLike(scale);
  return tf.batchNorm(x, mean, variance, shift, scale, 0);
}

function axesBeforeLast(x: tf.Tensor): number[] {
  return Array.from({ length: x.rank - 1 }, (_, axis) => axis);
}

/**
 * `y = γ ⊙ (x − μ)/√(σ² + ε) + β` with mean and variance of each row (over the last axis), and the total derivative: one
 * kernel each way where the backend has them.
 */
export function normalizeRows(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  epsilon: number,
): tf.Tensor {
  return (
    layerNorm({ x, scale: gamma, offset: beta, epsilon }) ??
    scaleAndShift(standardizeRows(x, epsilon), gamma, beta)
  );
}

/**
 * Each row (along the last axis) at zero mean and unit variance: `x̂ = (x − μ)/√(σ² + ε)`, with the total derivative
 * `∂L/∂x = (g − mean(g) − x̂ · mean(g · x̂))/√(σ² + ε)`, g = ∂L/∂x̂, means taken along the row.
 */
export function standardizeRows(x: tf.Tensor, epsilon: number): tf.Tensor {
  if (isDifferentiatedTwice()) return tf.tidy(() => standardizedRows(x, epsilon).value);
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, save] = inputs as [tf.Tensor, tf.GradSaveFunc];
    const { value, inverseDeviation } = standardizedRows(input, epsilon);
    save([value, inverseDeviation]);
    return {
      value,
      gradFunc: (gradient: tf.Tensor, saved: tf.Tensor[]) => {
        assertFirstOrder('a layer normalisation');
        const [standardized, scale] = saved as [tf.Tensor, tf.Tensor];
        const shift = tf.mean(gradient, -1, true);
        const slope = tf.mean(tf.mul(gradient, standardized), -1, true);
        return tf.mul(tf.sub(tf.sub(gradient, shift), tf.mul(standardized, slope)), scale);
      },
    };
  });
  return operation(x);
}

function standardizedRows(
  x: tf.Tensor,
  epsilon: number,
): { readonly value: tf.Tensor; readonly inverseDeviation: tf.Tensor } {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const inverseDeviation = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
  return { value: tf.mul(centred, inverseDeviation), inverseDeviation };
}

/** Batch normalisation by the backend's own kernels. */
function byKernels(
  inputs: readonly [x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor],
  epsilon: number,
  receive: ReceiveMoments,
): tf.Tensor {
  const operation = tf.customGrad((...given: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [x, scale, offset, save] = given as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const [value, mean, variance, inverseDeviation] = runKernel(
      'BatchNormTraining',
      { x, scale, offset },
      { epsilon },
    ) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    receive(mean, variance);
    save([x, scale, mean, inverseDeviation]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        assertFirstOrder('a normalisation');
        return runKernel('BatchNormTrainingGrad', {
          dy,
          x: saved[0]!,
          scale: saved[1]!,
          mean: saved[2]!,
          inverseDeviation: saved[3]!,
        });
      },
    };
  });
  return operation(...inputs);
}
