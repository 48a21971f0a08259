import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';

/**
 * Maps twice as high and wide, each pixel four times: nearest-neighbour upsampling, of concatenations alone, whose gradients
 * every backend has.
 */
export class Doubled extends layers.Layer {
  static readonly className: string = 'MultigradDoubled';

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [count, height, width, channels] = inputShape as Shape;
    return [count!, height! * 2, width! * 2, channels!];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      const [count, height, width, channels] = x.shape as [number, number, number, number];
      const wide = tf.reshape(tf.concat([x, x], 3), [count, height, 2 * width * channels]);
      const high = tf.concat([wide, wide], 2);
      return tf.reshape(high, [count, 2 * height, 2 * width, channels]);
    });
  }
}
