import { defineExperiment, type Experiment, opened } from '@multigrad/experiment';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { avDigitsBase, avDigitsSets, avDigitsSummary } from './av-digits-data.ts';
import { widthSetting } from './sizes.ts';

/** Audio-visual digits with encoders that reweigh each other's channels between their stages. */
export const avDigitsMmtm: Experiment = defineExperiment({
  ...avDigitsBase,
  name: 'av-digits-mmtm',
  title: 'Audio-visual digits, MMTM',
  summary:
    `${avDigitsSummary} Behind two of their convolutions the encoders reweigh each other’s channels (MMTM), so every ` +
    'objective reaches both encoders.',
  sources: [
    ...avDigitsBase.sources,
    'Joze, Shaban, Iuzzolino and Koishida, MMTM: Multimodal Transfer Module for CNN Fusion, CVPR 2020, arXiv 1911.08670',
  ],
  settings: { ...avDigitsBase.settings, width: widthSetting(16) },
  open: async (settings, seed) => {
    const data = await avDigitsSets(settings, seed);
    const size = { channels: 1, width: settings.width, seed };
    const network = multimodalNetwork({
      encoders: {
        image: digitEncoder({ name: 'image', ...size }),
        audio: digitEncoder({ name: 'audio', ...size, inputHeight: 32, inputWidth: 32 }),
      },
      exchange: { kind: 'mmtm', after: ['conv2', 'conv4'] },
      classes: 10,
      seed,
    });
    return opened({
      network,
      data,
      modalities: ['image', 'audio'],
      objectives: (batch, mode) => network.objectives(batch, batch.label, mode),
    });
  },
});
