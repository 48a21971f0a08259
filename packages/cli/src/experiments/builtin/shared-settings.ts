import type { ChoiceOption } from '@multigrad/core/strategy';
import type { NumberSetting } from '@multigrad/experiment';
import type { FusionKind } from '@multigrad/models';

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

/** Fusions of feature vectors. */
export const vectorFusions = ['concatenation', 'summation', 'gated', 'film'] as const;

/** The setting for how the features of encoders are joined, by default the first of these ways. */
export function fusionSetting<Kind extends FusionKind>(
  choices: readonly [Kind, ...Kind[]],
): ChoiceOption<Kind> {
  return {
    kind: 'choice',
    choices,
    default: choices[0],
    description:
      'How the features of the encoders are joined: side by side (concatenation), added up (summation), weighed by gates ' +
      '(gated), one scaled and shifted by the other (film), or by attention (cross-attention).',
  };
}

/** A setting of a network's width. */
export function widthSetting(
  fallback: number,
  description = 'Channels of the first convolutions; the later ones have twice as many.',
): NumberSetting {
  return { kind: 'number', integer: true, minimum: 1, default: fallback, description };
}
