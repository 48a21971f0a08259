import { multimodalNetwork, resnet18 } from '@multigrad/models';
import { images, labels } from './random-batch.mjs';

/** Two ResNet-18 at 64 × 64, one for sound and one for images, concatenated. */
export const resNets = {
  batchSize: 8,
  make(batchSize) {
    const size = { inputHeight: 64, inputWidth: 64, seed: 1 };
    const network = multimodalNetwork({
      encoders: {
        audio: resnet18({ name: 'audio', channels: 1, ...size }),
        visual: resnet18({ name: 'visual', channels: 3, ...size }),
      },
      classes: 10,
      seed: 1,
    });
    const inputs = {
      audio: images([batchSize, 64, 64, 1], 1),
      visual: images([batchSize, 64, 64, 3], 2),
    };
    return { network, inputs, targets: labels(batchSize) };
  },
};
