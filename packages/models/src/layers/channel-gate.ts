import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';

/**
 * Says how far a gate is open in a forward pass, in place of what it found itself.
 *
 * @param gate - name of the gate's layer
 * @param values - what it found, n × c, each from 0 to 2
 * @returns what its channels are multiplied with, n × c
 */
export type GateChange = (gate: string, values: tf.Tensor2D) => tf.Tensor2D;

/**
 * `y = g ⊙ x` with `g = 2 σ(e)`, channel by channel: x is n × … × c, the excitation e is n × c. An excitation of 0 changes
 * nothing.
 *
 * A forward pass that is given a {@link GateChange} as `gate`, beside `training`, takes what that makes of g in its place.
 */
export class ChannelGate extends layers.Layer {
  static readonly className: string = 'MultigradChannelGate';

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape[0] as Shape;
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    { gate }: { readonly gate?: GateChange } = {},
  ): tf.Tensor {
    return tf.tidy(() => {
      const [x, excitation] = inputs as [tf.Tensor, tf.Tensor2D];
      const found = gateValues(excitation);
      const values = gate?.(this.name, found) ?? found;
      const ones = Array.from({ length: x.rank - 2 }, () => 1);
      return tf.mul(x, tf.reshape(values, [found.shape[0], ...ones, found.shape[1]]));
    });
  }
}

/** How far a gate is open by its excitation: `2 σ(e)`. */
export function gateValues(excitation: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(tf.sigmoid(excitation), 2);
}
