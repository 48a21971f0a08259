import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { pcgrad, type PcgradOptions, pcgradOptions } from './pcgrad.ts';

/** The description of {@link pcgrad} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<PcgradOptions> = /* @__PURE__ */ definePlugin<PcgradOptions>({
  specification: 1,
  name: 'pcgrad',
  title: 'PCGrad',
  summary:
    'Projects each gradient off those that it conflicts with, in random order, and adds them up.',
  paper: {
    title: 'Gradient Surgery for Multi-Task Learning',
    authors: [
      'Tianhe Yu',
      'Saurabh Kumar',
      'Abhishek Gupta',
      'Sergey Levine',
      'Karol Hausman',
      'Chelsea Finn',
    ],
    venue: 'NeurIPS',
    year: 2020,
    url: 'https://arxiv.org/abs/2001.06782',
  },
  formula:
    'u = Σ_i v_i, where v_i = g_i and, for each other j in random order with ⟨v_i, g_j⟩ < 0, v_i ← v_i − ⟨v_i, g_j⟩ g_j / |g_j|²',
  use: 'For a few objectives that conflict now and then; the update keeps the size of the sum.',
  properties: {
    nonConflicting: { not: 'later projections undo earlier ones' },
    permutation: { not: 'corrections come in random order' },
    homogeneity: 1,
    linearUnderRowScaling: true,
    single: 1,
    stationary: 'moves',
  },
  options: pcgradOptions,
  create: pcgrad,
});
