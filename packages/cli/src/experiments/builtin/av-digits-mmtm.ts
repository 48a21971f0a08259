import type { Experiment } from '@multigrad/experiment';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { avDigitsExperiment } from './av-digits-base.ts';
import { vectorFusions, widthSetting } from './shared-settings.ts';

/** Audio-visual digits with encoders that reweigh each other's channels between their stages. */
export const avDigitsMmtm: Experiment = avDigitsExperiment({
  name: 'av-digits-mmtm',
  title: 'Audio-visual digits, MMTM',
  about:
    'Behind two of their convolutions the encoders reweigh each other’s channels (MMTM), so every objective reaches both ' +
    'encoders.',
  sources: [
    'Joze, Shaban, Iuzzolino and Koishida, MMTM: Multimodal Transfer Module for CNN Fusion, CVPR 2020, arXiv 1911.08670',
  ],
  width: widthSetting(16),
  fusions: vectorFusions,
  network: ({ width, seed, ...options }) => {
    const size = { channels: 1, width, seed };
    return multimodalNetwork<'image' | 'audio'>({
      encoders: {
        image: digitEncoder({ name: 'image', ...size }),
        audio: digitEncoder({ name: 'audio', ...size, inputHeight: 32, inputWidth: 32 }),
      },
      exchange: { kind: 'mmtm', after: ['conv2', 'conv4'] },
      ...options,
      classes: 10,
      seed,
    });
  },
});
