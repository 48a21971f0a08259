import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { krum, type KrumOptions, krumOptions } from './krum.ts';

/** The description of {@link krum} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<KrumOptions> = /* @__PURE__ */ definePlugin<KrumOptions>({
  specification: 1,
  name: 'krum',
  title: 'Krum',
  summary: 'Averages the gradients that lie closest to their neighbours and drops the others.',
  paper: {
    title: 'Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent',
    authors: ['Peva Blanchard', 'El Mahdi El Mhamdi', 'Rachid Guerraoui', 'Julien Stainer'],
    venue: 'NeurIPS',
    year: 2017,
    url: 'https://papers.nips.cc/paper/2017/hash/f4b9ec30ad9f68f89b29639786cb62ef-Abstract.html',
  },
  formula:
    'u = mean of the m gradients with the smallest score_i, the sum of the K − f − 2 smallest |g_i − g_j|², j ≠ i',
  use: 'For many objectives of which some may be wrong, such as gradients of unreliable sources.',
  properties: {
    nonConflicting: { not: 'takes the gradient with the nearest neighbours' },
    permutation: { not: 'ties between the nearest are broken by order' },
    homogeneity: 1,
    linearUnderRowScaling: { not: 'which gradients are near depends on their lengths' },
    single: { not: 'needs three' },
    stationary: 'moves',
  },
  options: krumOptions,
  create: krum,
});
