import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { upgrad, type UpgradOptions, upgradOptions } from './upgrad.ts';

/** The description of {@link upgrad} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<UpgradOptions> = /* @__PURE__ */ definePlugin<UpgradOptions>({
  specification: 1,
  name: 'upgrad',
  title: 'UPGrad',
  summary:
    'Projects every gradient onto the cone of vectors that conflict with none, and adds the projections up.',
  paper: {
    title: 'Jacobian Descent for Multi-Objective Optimization',
    authors: ['Pierre Quinton', 'Valérian Rey'],
    venue: 'arXiv',
    year: 2024,
    url: 'https://arxiv.org/abs/2406.16232',
  },
  formula: 'u = Jᵀ Σ_i p_i proj(e_i), proj(x) = argmin vᵀ G v over v >= x',
  use: 'As a safe first choice: no objective gets worse, and each counts in proportion to its gradient.',
  properties: {
    nonConflicting: true,
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: true,
    single: 1,
    stationary: 'zero',
  },
  options: upgradOptions,
  create: upgrad,
});
