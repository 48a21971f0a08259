import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { sdmgrad, type SdmgradOptions, sdmgradOptions } from './sdmgrad.ts';

/** The description of {@link sdmgrad} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<SdmgradOptions> = /* @__PURE__ */ definePlugin<SdmgradOptions>({
  specification: 1,
  name: 'sdmgrad',
  title: 'SDMGrad',
  summary:
    'Draws MGDA towards the mean of the gradients, with unbiased estimates from independent batches.',
  paper: {
    title: 'Direction-oriented Multi-objective Learning: Simple and Provable Stochastic Algorithms',
    authors: ['Peiyao Xiao', 'Hao Ban', 'Kaiyi Ji'],
    venue: 'NeurIPS',
    year: 2023,
    url: 'https://arxiv.org/abs/2305.18409',
  },
  formula:
    'u = J_3ᵀ (w + λ/K) / (1 + λ), w by projected gradient steps along A w + λ A 1/K, A = J_1 J_2ᵀ of independent batches, divided by the squared mean of √A_kk',
  use: 'For noisy batches, with an update near to the mean of the gradients.',
  properties: {
    nonConflicting: { not: 'the mean has its part in the update' },
    permutation: 'independent',
    homogeneity: 1,
    linearUnderRowScaling: { not: 'the weights follow the lengths of the gradients' },
    single: 1,
    stationary: 'moves',
  },
  options: sdmgradOptions,
  create: sdmgrad,
});
