import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';

/** `y = 2 σ(e) ⊙ x`, channel by channel: x is n × … × c, the excitation e is n × c. An excitation of 0 changes nothing. */
export class ChannelGate extends layers.Layer {
  static readonly className: string = 'MultigradChannelGate';

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape[0] as Shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, excitation] = inputs as [tf.Tensor, tf.Tensor];
      const gate = tf.mul(tf.sigmoid(excitation), 2);
      const ones = Array.from({ length: x.rank - 2 }, () => 1);
      return tf.mul(x, tf.reshape(gate, [gate.shape[0], ...ones, gate.shape[1]!]));
    });
  }
}
