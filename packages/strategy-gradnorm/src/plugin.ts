import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { gradnorm, type GradnormOptions, gradnormOptions } from './gradnorm.ts';

/** The description of {@link gradnorm} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<GradnormOptions> =
  /* @__PURE__ */ definePlugin<GradnormOptions>({
    specification: 1,
    name: 'gradnorm',
    title: 'GradNorm',
    summary:
      'Trains weights that bring the lengths of the gradients in line with how fast their objectives train.',
    paper: {
      title:
        'GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks',
      authors: ['Zhao Chen', 'Vijay Badrinarayanan', 'Chen-Yu Lee', 'Andrew Rabinovich'],
      venue: 'ICML',
      year: 2018,
      url: 'https://arxiv.org/abs/1711.02257',
    },
    formula:
      'u = Σ_k c_k g_k, then c_k ← c_k − η sign(c_k |g_k| − T_k) |g_k| / mean_j |g_j|, scaled to sum K; T_k = mean_j(c_j |g_j|) r_k^α, r_k = (L_k / L_k(0)) / mean_j(L_j / L_j(0))',
    use: 'For tasks that should train at similar rates, by weights that change slowly.',
    properties: {
      nonConflicting: { not: 'only lengths are balanced' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the weights train against the lengths' },
      single: 1,
      stationary: 'moves',
    },
    options: gradnormOptions,
    create: gradnorm,
  });
