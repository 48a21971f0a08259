import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { fairgrad, type FairgradOptions, fairgradOptions } from './fairgrad.ts';

/** The description of {@link fairgrad} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<FairgradOptions> =
  /* @__PURE__ */ definePlugin<FairgradOptions>({
    specification: 1,
    name: 'fairgrad',
    title: 'FairGrad',
    summary: 'Takes the update whose gains for the objectives are alpha-fair.',
    paper: {
      title: 'Fair Resource Allocation in Multi-Task Learning',
      authors: ['Hao Ban', 'Kaiyi Ji'],
      venue: 'ICML',
      year: 2024,
      url: 'https://arxiv.org/abs/2402.15638',
    },
    formula: 'u = Jᵀ w with the positive solution of (G w)_k = w_k^(−1/α)',
    use: 'To trade average progress for fairness by one number, alpha.',
    properties: {
      nonConflicting: true,
      permutation: true,
      homogeneity: 0,
      linearUnderRowScaling: { not: 'weights make gains equal' },
      single: ({ length }) => 1 / length,
      stationary: 'zero',
    },
    options: fairgradOptions,
    create: fairgrad,
  });
