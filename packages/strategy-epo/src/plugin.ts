import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { epo, type EpoOptions, epoOptions } from './epo.ts';

/** The description of {@link epo} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<EpoOptions> = /* @__PURE__ */ definePlugin<EpoOptions>({
  specification: 1,
  name: 'epo',
  title: 'EPO',
  summary:
    'Makes the products of losses and preferences equal, then descends on all objectives; on the way some may rise.',
  paper: {
    title:
      'Multi-Task Learning with User Preferences: Gradient Descent with Controlled Ascent in Pareto Optimization',
    authors: ['Debabrata Mahapatra', 'Vaibhav Rajan'],
    venue: 'ICML',
    year: 2020,
    url: 'https://proceedings.mlr.press/v119/mahapatra20a.html',
  },
  formula:
    'u = Σ_k α_k g_k, α = argmax αᵀ G a over the simplex with G α bounded below, a_k = r_k (ln(K q_k) − μ), q_k = r_k L_k / Σ_j r_j L_j, μ = Σ_k q_k ln(K q_k); argmax Σ_k (G α)_k over G α >= 0 once μ is small',
  use: 'For a chosen trade-off: losses in given proportions, as near to Pareto optimal as they get.',
  properties: {
    nonConflicting: { not: 'objectives may rise while the losses are balanced' },
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: { not: 'the solution of a linear program jumps' },
    single: 1,
    stationary: 'moves',
  },
  options: epoOptions,
  create: epo,
});
