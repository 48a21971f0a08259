import type { OptionsOf } from '@multigrad/core/strategy';

/** Descriptions of the options of `mmpareto`. */
export const mmparetoOptions = {
  /**
   * Factor of the whole update, a number >= 1; 1 leaves the length of the sum.
   *
   * @defaultValue 1.5
   */
  gamma: {
    kind: 'number',
    default: 1.5,
    minimum: 1,
    description:
      'Factor of the whole update, a number >= 1; 1 leaves the length of the sum. Adam-like optimizers cancel it.',
  },
  /**
   * What is rescaled to the length of its summed gradient: the whole group (`group`, the paper) or each tensor by
   * itself (`tensor`, the official code), which may raise a loss.
   *
   * @defaultValue 'group'
   */
  rescale: {
    kind: 'choice',
    choices: ['group', 'tensor'],
    default: 'group',
    description:
      'What is brought to the length of its summed gradient: the whole group (group, the paper) or each tensor apart (tensor, the official code; may raise a loss).',
  },
  /**
   * Greatest rescaling factor lambda, a number >= 1, or null for no limit.
   *
   * @defaultValue null
   */
  maxRescale: {
    kind: 'number',
    default: null,
    minimum: 1,
    nullable: true,
    description: 'Greatest rescaling factor lambda, a number >= 1, or null for no limit.',
  },
} as const;

/** Options of `mmpareto`. */
export interface MmparetoOptions extends OptionsOf<typeof mmparetoOptions> {}
