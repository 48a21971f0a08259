import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';

/**
 * The mean over everything between batch and channels: n × … × c → n × c; vectors pass unchanged.
 *
 * It serves images, sequences and stacks of frames alike, where TensorFlow.js has a layer for each.
 */
export class GlobalAverage extends layers.Layer {
  static readonly className: string = 'MultigradGlobalAverage';

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const shape = inputShape as Shape;
    return [shape[0]!, shape.at(-1)!];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      if (x.rank === 2) return tf.clone(x);
      const between = Array.from({ length: x.rank - 2 }, (_, axis) => axis + 1);
      return tf.mean(x, between);
    });
  }
}
