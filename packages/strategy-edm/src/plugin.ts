import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { edm } from './edm.ts';

/** The description of {@link edm} for listings, command lines and configurations. */
export const plugin: StrategyPlugin = /* @__PURE__ */ definePlugin({
  specification: 1,
  name: 'edm',
  title: 'EDM',
  summary:
    'Descends on every objective along the shortest convex combination of the unit gradients.',
  paper: {
    title: 'Follow the bisector: a simple method for multi-objective optimization',
    authors: ['Alexandr Katrutsa', 'Daniil Merkulov', 'Nurislam Tursynbek', 'Ivan Oseledets'],
    venue: 'arXiv',
    year: 2020,
    url: 'https://arxiv.org/abs/2007.06937',
  },
  formula:
    'u = Σ_k w_k g_k, w_k = (a_k / |g_k|) / Σ_j a_j / |g_j|, a = argmin |Σ_k a_k g_k / |g_k||² over a_k >= 0, Σ_k a_k = 1',
  use: 'For losses in unlike units: the update has the same angle with every gradient.',
  properties: {
    nonConflicting: true,
    permutation: 'independent',
    homogeneity: 1,
    linearUnderRowScaling: { not: 'unit gradients decide the direction, the plain ones the size' },
    single: 1,
    stationary: 'zero',
  },
  options: {},
  create: edm,
});
