import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import * as tf from '@tensorflow/tfjs-core';
import type { ToyNetwork } from '../../support/src/networks.ts';

/** Two convolutional encoders with batch norm and three heads, K = 3, as users build them. */
export function encoders(): ToyNetwork {
  const size = { width: 4, features: 12, seed: 1, inputHeight: 12, inputWidth: 12 };
  const network = multimodalNetwork({
    encoders: {
      gray: digitEncoder({ name: 'gray', channels: 1, ...size }),
      color: digitEncoder({ name: 'color', channels: 3, ...size }),
    },
    classes: 4,
    seed: 1,
  });
  const batch = {
    gray: tf.randomNormal([6, 12, 12, 1], 0, 1, 'float32', 2),
    color: tf.randomNormal([6, 12, 12, 3], 0, 1, 'float32', 3),
  };
  const label = tf.tensor1d([0, 1, 2, 3, 0, 1], 'int32');
  return {
    variables: network.trainableVariables,
    losses: () => {
      const { multimodal, gray, color } = network.losses(batch, label, { training: true });
      return { a: multimodal, b: gray, c: color };
    },
    dispose: () => {
      tf.dispose([batch, label]);
      network.dispose();
    },
  };
}
