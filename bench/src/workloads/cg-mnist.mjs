import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { images, labels } from './random-batch.mjs';

/** Gray and coloured digits, two encoders of four convolutions, three heads. */
export const cgMnist = {
  batchSize: 64,
  make(batchSize, width = 32) {
    const network = multimodalNetwork({
      encoders: {
        gray: digitEncoder({ name: 'gray', channels: 1, width, seed: 1 }),
        color: digitEncoder({ name: 'color', channels: 3, width, seed: 1 }),
      },
      classes: 10,
      seed: 1,
    });
    const inputs = {
      gray: images([batchSize, 28, 28, 1], 1),
      color: images([batchSize, 28, 28, 3], 2),
    };
    return { network, inputs, targets: labels(batchSize) };
  },
};
