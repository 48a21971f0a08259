import { lenet as lenetTrunk, multiTaskNetwork } from '@multigrad/models';
import { images, labels } from './random-batch.mjs';

/** MultiMNIST: a LeNet trunk on 36 × 36 pixels, a head for the left digit and one for the right. */
export const lenet = {
  batchSize: 64,
  make(batchSize) {
    const network = multiTaskNetwork({
      trunk: lenetTrunk({ name: 'trunk', channels: 1, seed: 1 }),
      tasks: {
        left: { kind: 'classification', classes: 10 },
        right: { kind: 'classification', classes: 10 },
      },
      seed: 1,
    });
    const inputs = images([batchSize, 36, 36, 1], 1);
    return { network, inputs, targets: { left: labels(batchSize), right: labels(batchSize) } };
  },
};
