import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import {
  randomGradientWeighting,
  type RandomGradientWeightingOptions,
  randomGradientWeightingOptions,
} from './random-gradient-weighting.ts';

/** The description of {@link randomGradientWeighting} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<RandomGradientWeightingOptions> =
  /* @__PURE__ */ definePlugin<RandomGradientWeightingOptions>({
    specification: 1,
    name: 'random-gradient-weighting',
    title: 'RGW',
    summary: 'Weighs the gradients at random, anew at every step: a baseline.',
    paper: {
      title: 'Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task Learning',
      authors: ['Baijiong Lin', 'Feiyang Ye', 'Yu Zhang', 'Ivor W. Tsang'],
      venue: 'TMLR',
      year: 2022,
      url: 'https://arxiv.org/abs/2111.10603',
    },
    formula:
      'u = Σ_k w_k g_k, w = softmax(z) with independent z_k ~ N(0, 1), drawn anew at each step',
    use: 'As a baseline that a method has to beat.',
    properties: {
      nonConflicting: { not: 'does not look at gradients' },
      permutation: { not: 'weights are drawn in the order of objectives' },
      homogeneity: 1,
      linearUnderRowScaling: true,
      single: 1,
      stationary: 'moves',
    },
    options: randomGradientWeightingOptions,
    create: randomGradientWeighting,
  });
