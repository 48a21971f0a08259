import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** The variables behind the trainable weights of a model or layer, which its types give out as tensors. */
export function trainableVariables({ trainableWeights }: tfl.layers.Layer): tf.Variable[] {
  return trainableWeights.map((weight) => {
    const variable: unknown = weight.read();
    return variable as tf.Variable;
  });
}
