import type { Experiment } from '@multigrad/experiment';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { avDigitsExperiment } from './av-digits-base.ts';
import { widthSetting } from './sizes.ts';

/** Audio-visual digits with a convolutional encoder for each modality, joined by concatenation. */
export const avDigits: Experiment = avDigitsExperiment({
  name: 'av-digits',
  title: 'Audio-visual digits',
  about: 'Both encoders are convolutional; their features are concatenated.',
  width: widthSetting(16),
  network: (width, seed, modalityDropout) => {
    const size = { channels: 1, width, seed };
    return multimodalNetwork({
      encoders: {
        image: digitEncoder({ name: 'image', ...size }),
        audio: digitEncoder({ name: 'audio', ...size, inputHeight: 32, inputWidth: 32 }),
      },
      modalityDropout,
      classes: 10,
      seed,
    });
  },
});
