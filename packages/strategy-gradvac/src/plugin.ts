import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { gradvac, type GradvacOptions, gradvacOptions } from './gradvac.ts';

/** The description of {@link gradvac} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<GradvacOptions> = /* @__PURE__ */ definePlugin<GradvacOptions>({
  specification: 1,
  name: 'gradvac',
  title: 'GradVac',
  summary: 'Turns each gradient towards the others until their cosine is at its running average.',
  paper: {
    title:
      'Gradient Vaccine: Investigating and Improving Multi-task Optimization in Massively Multilingual Models',
    authors: ['Zirui Wang', 'Yulia Tsvetkov', 'Orhan Firat', 'Yuan Cao'],
    venue: 'ICLR',
    year: 2021,
    url: 'https://arxiv.org/abs/2010.05874',
  },
  formula:
    'u = Σ_i v_i, where v_i = g_i and, for each other j in random order with r = cos(v_i, g_j) < t_ij, v_i ← v_i + g_j |v_i| (t_ij √(1 − r²) − r √(1 − t_ij²)) / (|g_j| √(1 − t_ij²)); then t_ij ← (1 − β) t_ij + β r',
  use: 'For many related tasks, such as languages, whose gradients should come to agree.',
  properties: {
    nonConflicting: { not: 'corrections follow cosines of the past' },
    permutation: { not: 'corrections come in random order' },
    homogeneity: 1,
    linearUnderRowScaling: true,
    single: 1,
    stationary: 'moves',
  },
  options: gradvacOptions,
  create: gradvac,
});
