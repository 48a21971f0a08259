import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { moco, type MocoOptions, mocoOptions } from './moco.ts';

/** The description of {@link moco} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<MocoOptions> = /* @__PURE__ */ definePlugin<MocoOptions>({
  specification: 1,
  name: 'moco',
  title: 'MoCo',
  summary:
    'Tracks weights and gradients over steps, which removes the bias of gradients of mini-batches.',
  paper: {
    title: 'Mitigating Gradient Bias in Multi-objective Learning: A Provably Convergent Approach',
    authors: [
      'Heshan Fernando',
      'Han Shen',
      'Miao Liu',
      'Subhajit Chaudhury',
      'Keerthiram Murugesan',
      'Tianyi Chen',
    ],
    venue: 'ICLR',
    year: 2023,
    url: 'https://arxiv.org/abs/2210.12624',
  },
  formula:
    'u = Σ_k λ_k y_k, y_k ← y_k − b (y_k − L_k g_k / |g_k|), then λ ← softmax(λ − c (Y Yᵀ + ρ I) λ)',
  use: 'For small noisy batches, where the weights of MGDA would follow the noise.',
  properties: {
    nonConflicting: { not: 'tracked gradients lag behind' },
    permutation: true,
    homogeneity: 0,
    linearUnderRowScaling: { not: 'gradients are taken at unit length' },
    single: ({ length, loss }) => (0.5 * loss) / length,
    stationary: 'moves',
  },
  options: mocoOptions,
  create: moco,
});
