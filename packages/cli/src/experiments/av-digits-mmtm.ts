import type { AudioVisualDigitBatch } from '@multigrad/datasets';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { avDigitsBase, avDigitsBatches, avDigitsSummary } from './av-digits-data.ts';
import { widthSetting } from './batches.ts';
import { trainedParts } from './networks.ts';
import type { Recipe } from './recipe.ts';
import { numberSetting } from '../runs/settings.ts';

/** Audio-visual digits with encoders that reweigh each other's channels between their stages. */
export const avDigitsMmtmRecipe: Recipe = {
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
    const batches = await avDigitsBatches(settings, seed);
    const size = { channels: 1, width: numberSetting(settings, 'width'), seed };
    const network = multimodalNetwork({
      encoders: {
        image: digitEncoder({ name: 'image', ...size }),
        audio: digitEncoder({ name: 'audio', ...size, inputHeight: 32, inputWidth: 32 }),
      },
      exchange: { kind: 'mmtm', after: ['conv2', 'conv4'] },
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
