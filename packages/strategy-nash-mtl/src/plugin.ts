import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { nashMtl, type NashMtlOptions, nashMtlOptions } from './nash-mtl.ts';

/** The description of {@link nashMtl} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<NashMtlOptions> = /* @__PURE__ */ definePlugin<NashMtlOptions>({
  specification: 1,
  name: 'nash-mtl',
  title: 'Nash-MTL',
  summary:
    'Lets the objectives bargain: the update on which each gains in proportion to what it gives.',
  paper: {
    title: 'Multi-Task Learning as a Bargaining Game',
    authors: [
      'Aviv Navon',
      'Aviv Shamsian',
      'Idan Achituve',
      'Haggai Maron',
      'Kenji Kawaguchi',
      'Gal Chechik',
      'Ethan Fetaya',
    ],
    venue: 'ICML',
    year: 2022,
    url: 'https://arxiv.org/abs/2202.01017',
  },
  formula: 'u = Jᵀ a with the positive solution of (G a)_k = 1 / a_k, shortened to maxNorm',
  use: 'For losses in unlike units, where the learning rate alone should set the length of a step.',
  properties: {
    nonConflicting: true,
    permutation: true,
    homogeneity: 0,
    linearUnderRowScaling: { not: 'the length of the update is fixed' },
    single: ({ length }) => 1 / length,
    stationary: 'zero',
  },
  options: nashMtlOptions,
  create: nashMtl,
});
