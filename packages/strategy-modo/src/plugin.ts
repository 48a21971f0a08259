import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { modo, type ModoOptions, modoOptions } from './modo.ts';

/** The description of {@link modo} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<ModoOptions> = /* @__PURE__ */ definePlugin<ModoOptions>({
  specification: 1,
  name: 'modo',
  title: 'MoDo',
  summary:
    'Follows the weights of MGDA step by step with unbiased estimates from independent batches.',
  paper: {
    title:
      'Three-Way Trade-Off in Multi-Objective Learning: Optimization, Generalization and Conflict-Avoidance',
    authors: ['Lisha Chen', 'Heshan Fernando', 'Yiming Ying', 'Tianyi Chen'],
    venue: 'NeurIPS',
    year: 2023,
    url: 'https://arxiv.org/abs/2305.20057',
  },
  formula:
    'u = J_3ᵀ λ, λ ← P(λ − γ (J_1 J_2ᵀ λ + ρ λ)) with the projection P onto λ_k >= 0, Σ_k λ_k = 1; J_1, J_2, J_3 are of three independent batches',
  use: 'For small noisy batches, when two further batches a step are affordable.',
  properties: {
    nonConflicting: { not: 'weights take small steps' },
    permutation: true,
    homogeneity: { not: 'the step size of the weights is not relative to the gradients' },
    linearUnderRowScaling: { not: 'the weights follow the lengths of the gradients' },
    single: 1,
    stationary: 'moves',
  },
  options: modoOptions,
  create: modo,
});
