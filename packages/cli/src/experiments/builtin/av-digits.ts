import type { Experiment } from '@multigrad/experiment';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { avDigitsExperiment } from './av-digits-base.ts';
import { vectorFusions, widthSetting } from './shared-settings.ts';

/** Audio-visual digits with a convolutional encoder for each modality, joined by concatenation. */
export const avDigits: Experiment = avDigitsExperiment({
  name: 'av-digits',
  title: 'Audio-visual digits',
  about:
    'Both encoders are convolutional; their features are concatenated, or joined as `fusion` says.',
  width: widthSetting(16),
  fusions: vectorFusions,
  network: ({ width, seed, ...options }) => {
    const size = { channels: 1, width, seed };
    return multimodalNetwork({
      encoders: {
        image: digitEncoder({ name: 'image', ...size }),
        audio: digitEncoder({ name: 'audio', ...size, inputHeight: 32, inputWidth: 32 }),
      },
      ...options,
      classes: 10,
      seed,
    });
  },
});
