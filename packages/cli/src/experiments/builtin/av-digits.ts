import { defineExperiment, type Experiment, opened } from '@multigrad/experiment';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { avDigitsBase, avDigitsSets, avDigitsSummary } from './av-digits-data.ts';
import { widthSetting } from './sizes.ts';

/** Audio-visual digits with a convolutional encoder for each modality, joined by concatenation. */
export const avDigits: Experiment = defineExperiment({
  ...avDigitsBase,
  name: 'av-digits',
  title: 'Audio-visual digits',
  summary: `${avDigitsSummary} Both encoders are convolutional; their features are concatenated.`,
  settings: { ...avDigitsBase.settings, width: widthSetting(16) },
  open: async (settings, seed) => {
    const data = await avDigitsSets(settings, seed);
    const { width } = settings;
    const network = multimodalNetwork({
      encoders: {
        image: digitEncoder({ name: 'image', channels: 1, width, seed }),
        audio: digitEncoder({
          name: 'audio',
          channels: 1,
          width,
          seed,
          inputHeight: 32,
          inputWidth: 32,
        }),
      },
      classes: 10,
      seed,
    });
    return opened({
      network,
      data,
      modalities: network.modalities,
      objectives: (batch, mode) => network.objectives(batch, batch.label, mode),
    });
  },
});
