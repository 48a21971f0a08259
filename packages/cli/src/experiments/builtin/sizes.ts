import type { NumberSetting } from '@multigrad/experiment';

/** The setting for how many samples of those drawn for training are kept to select models by. */
export const validationSize: NumberSetting = {
  kind: 'number',
  integer: true,
  minimum: 0,
  default: 500,
  description: 'Number of training samples that are kept back to select models by; 0: none.',
};

/** The setting for how often a network is trained without a modality. */
export const modalityDropout: NumberSetting = {
  kind: 'number',
  minimum: 0,
  maximum: 1,
  default: 0,
  description:
    'Probability with which each modality of a sample is dropped in training, from 0 to below 1: a learnt token stands in ' +
    'the place of its features. Never all of a sample’s; 0: nothing is dropped, and no tokens are learnt.',
};

/** A setting of a network's width. */
export function widthSetting(
  fallback: number,
  description = 'Channels of the first convolutions; the later ones have twice as many.',
): NumberSetting {
  return { kind: 'number', integer: true, minimum: 1, default: fallback, description };
}
