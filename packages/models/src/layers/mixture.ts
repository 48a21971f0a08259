import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';

/** `y = Σ_e g_e · x_e`: the gate g, n × E, and then E vectors n × f; result n × f. */
export class Mixture extends layers.Layer {
  static readonly className: string = 'MultigradMixture';

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape[1] as Shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [gate, ...experts] = inputs as [tf.Tensor2D, ...tf.Tensor2D[]];
      const [count, features] = experts[0]!.shape;
      const stacked = tf.reshape(tf.concat(experts, 1), [count, experts.length, features]);
      const weights = tf.reshape(gate, [count, 1, experts.length]);
      return tf.reshape(tf.matMul(weights, stacked), [count, features]);
    });
  }
}
