import type { NumberSetting } from '@multigrad/experiment';

/** The setting for how many samples of those drawn for training are kept to select models by. */
export const validationSize: NumberSetting = {
  kind: 'number',
  integer: true,
  minimum: 0,
  default: 500,
  description: 'Number of training samples that are kept back to select models by; 0: none.',
};

/** A setting of a network's width. */
export function widthSetting(
  fallback: number,
  description = 'Channels of the first convolutions; the later ones have twice as many.',
): NumberSetting {
  return { kind: 'number', integer: true, minimum: 1, default: fallback, description };
}
