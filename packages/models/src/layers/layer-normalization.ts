import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';
import { normalizeRows } from './standardize.ts';

/**
 * Layer normalisation over the last axis: `y = γ ⊙ (x − μ)/√(σ² + ε) + β` with mean μ and (biased) variance σ² of each
 * row, in training and in inference alike (Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450).
 */
export class LayerNormalization extends layers.Layer {
  static readonly className: string = 'MultigradLayerNormalization';
  /** Added to the variance; PyTorch's default. */
  static readonly epsilon: number = 1e-5;
  #gamma: LayerVariable | null = null;
  #beta: LayerVariable | null = null;

  override build(inputShape: Shape | Shape[]): void {
    const channels = (inputShape as Shape).at(-1)!;
    this.#gamma = this.addWeight('gamma', [channels], 'float32', initializers.ones());
    this.#beta = this.addWeight('beta', [channels], 'float32', initializers.zeros());
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape as Shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      return normalizeRows(x, this.#gamma!.read(), this.#beta!.read(), LayerNormalization.epsilon);
    });
  }
}
