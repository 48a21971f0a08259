import {
  assertFirstOrder,
  hasKernel,
  isDifferentiatedTwice,
  runKernel,
} from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The activation `x · Φ(x)` of layers, under TensorFlow.js's own name and saved as such. Value and gradient are one
 * kernel each where the backend has them; TensorFlow.js composes them of a dozen.
 */
export class Gelu extends tf.serialization.Serializable {
  static readonly className: string = 'gelu';

  apply(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => (hasKernels() && !isDifferentiatedTwice() ? byKernels(x) : composed(x)));
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

function hasKernels(): boolean {
  return hasKernel('Gelu') && hasKernel('GeluGrad');
}

function byKernels(x: tf.Tensor): tf.Tensor {
  const attributes = { approximate: false };
  const operation = tf.customGrad((...given: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, save] = given as [tf.Tensor, tf.GradSaveFunc];
    save([input]);
    return {
      value: runKernel('Gelu', { x: input }, attributes)[0]!,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        assertFirstOrder('gelu');
        return runKernel('GeluGrad', { dy, x: saved[0]! }, attributes)[0]!;
      },
    };
  });
  return operation(x);
}

function composed(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.div(x, Math.SQRT2)))));
}
