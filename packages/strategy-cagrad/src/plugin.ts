import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { cagrad, type CagradOptions, cagradOptions } from './cagrad.ts';

/** The description of {@link cagrad} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<CagradOptions> = /* @__PURE__ */ definePlugin<CagradOptions>({
  specification: 1,
  name: 'cagrad',
  title: 'CAGrad',
  summary: 'Takes, near the mean of the gradients, the update whose smallest gain is greatest.',
  paper: {
    title: 'Conflict-Averse Gradient Descent for Multi-task Learning',
    authors: ['Bo Liu', 'Xingchao Liu', 'Xiaojie Jin', 'Peter Stone', 'Qiang Liu'],
    venue: 'NeurIPS',
    year: 2021,
    url: 'https://arxiv.org/abs/2110.14048',
  },
  formula:
    'u = g_0 + c |g_0| g_w / |g_w| with the mean g_0 and g_w = Σ_k w_k g_k, w = argmin ⟨g_w, g_0⟩ + c |g_0| |g_w| over w_k >= 0, Σ_k w_k = 1',
  use: 'Where the mean of the losses should converge without leaving the worst objective behind.',
  properties: {
    nonConflicting: { not: 'stays within half a length of the mean' },
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: { not: 'the mean follows the longest gradients' },
    single: 1.5,
    stationary: 'moves',
  },
  options: cagradOptions,
  create: cagrad,
});
