import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { mgda, type MgdaOptions, mgdaOptions } from './mgda.ts';

/** The description of {@link mgda} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<MgdaOptions> = /* @__PURE__ */ definePlugin<MgdaOptions>({
  specification: 1,
  name: 'mgda',
  title: 'MGDA',
  summary:
    'Takes the shortest convex combination of the gradients, which descends on every objective.',
  paper: {
    title: 'Multi-Task Learning as Multi-Objective Optimization',
    authors: ['Ozan Sener', 'Vladlen Koltun'],
    venue: 'NeurIPS',
    year: 2018,
    url: 'https://arxiv.org/abs/1810.04650',
  },
  formula:
    'u = Σ_k a_k g_k, a = argmin |Σ_k a_k g_k / n_k|² over a_k >= 0, Σ_k a_k = 1; n_k is 1, |g_k|, L_k or L_k |g_k|',
  use: 'Where no objective may get worse and short steps are acceptable.',
  properties: {
    nonConflicting: true,
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: { not: 'the shortest combination is not linear in the gradients' },
    single: 1,
    stationary: 'zero',
  },
  options: mgdaOptions,
  create: mgda,
});
