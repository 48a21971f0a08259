import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { mmpareto } from './mmpareto.ts';
import { type MmparetoOptions, mmparetoOptions } from './options.ts';

/** The description of {@link mmpareto} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<MmparetoOptions> =
  /* @__PURE__ */ definePlugin<MmparetoOptions>({
    specification: 1,
    name: 'mmpareto',
    title: 'MMPareto',
    summary:
      'Adds gradients that agree, takes the common descent direction of those that conflict, and gives both the length of the sum times gamma.',
    paper: {
      title: 'MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance',
      authors: ['Yake Wei', 'Di Hu'],
      venue: 'ICML',
      year: 2024,
      url: 'https://arxiv.org/abs/2405.17730',
    },
    formula:
      'u = γ λ h with s = Σ_k g_k, λ = |s| / |h|. Without conflict h = s; else h = K Σ_k a_k g_k, a = argmin |Σ_k a_k g_k|² over a_k >= 0, Σ_k a_k = 1',
    use: 'For multimodal networks, whose joint loss has smaller gradients than those of single modalities.',
    properties: {
      nonConflicting: true,
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the shortest combination is not linear in the gradients' },
      single: 1.5,
      stationary: 'zero',
    },
    options: mmparetoOptions,
    create: mmpareto,
  });
