import type { AudioVisualDigitBatch } from '@multigrad/datasets';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { avDigitsBase, avDigitsBatches, avDigitsSummary } from './av-digits-data.ts';
import { widthSetting } from './batches.ts';
import { trainedParts } from './networks.ts';
import type { Recipe } from './recipe.ts';
import { numberSetting } from '../runs/settings.ts';

/** Audio-visual digits with a convolutional encoder for each modality, joined by concatenation. */
export const avDigitsRecipe: Recipe = {
  ...avDigitsBase,
  name: 'av-digits',
  title: 'Audio-visual digits',
  summary: `${avDigitsSummary} Both encoders are convolutional; their features are concatenated.`,
  settings: { ...avDigitsBase.settings, width: widthSetting(16) },
  open: async (settings, seed) => {
    const batches = await avDigitsBatches(settings, seed);
    const width = numberSetting(settings, 'width');
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
    return {
      objectives: (batch: AudioVisualDigitBatch, mode) =>
        network.objectives(batch, batch.label, mode),
      ...trainedParts(network),
      ...batches,
      modalities: network.modalities,
    };
  },
};
