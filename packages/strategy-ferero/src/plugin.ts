import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { ferero, type FereroOptions, fereroOptions } from './ferero.ts';

/** The description of {@link ferero} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<FereroOptions> = /* @__PURE__ */ definePlugin<FereroOptions>({
  specification: 1,
  name: 'ferero',
  title: 'FERERO',
  summary:
    'Descends on all objectives as steeply as the approach to a preferred ray of losses allows.',
  paper: {
    title: 'FERERO: A Flexible Framework for Preference-Guided Multi-Objective Learning',
    authors: ['Lisha Chen', 'A. F. M. Saif', 'Yanning Shen', 'Tianyi Chen'],
    venue: 'NeurIPS',
    year: 2024,
    url: 'https://arxiv.org/abs/2412.01773',
  },
  formula:
    'u = Jᵀ (λ + Bᵀ ν) over the sum of the magnitudes of its weights, (λ, ν) = argmin ½ |Jᵀ (λ + Bᵀ ν)|² − c_h νᵀ B L over the simplex for λ, B an orthonormal basis at right angles to the ray',
  use: 'For a chosen trade-off, with one rule on the ray and off it.',
  properties: {
    nonConflicting: { not: 'an objective ahead of the ray may rise' },
    permutation: true,
    homogeneity: { not: 'the pull to the ray does not grow with the gradients' },
    linearUnderRowScaling: { not: 'the weights follow the lengths of the gradients' },
    single: 1,
    stationary: 'moves',
  },
  options: fereroOptions,
  create: ferero,
});
