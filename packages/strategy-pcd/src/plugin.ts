import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { pcd, type PcdOptions, pcdOptions } from './pcd.ts';

/** The description of {@link pcd} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<PcdOptions> = /* @__PURE__ */ definePlugin<PcdOptions>({
  specification: 1,
  name: 'pcd',
  title: 'PCD',
  summary:
    'Follows the gradient of one primary objective, as nearly as a share of progress for each of the others allows.',
  paper: {
    title:
      'Not All Objectives Are Born Equal: Priority-Constrained Descent for Hierarchical Multi-Objective Optimization',
    authors: ['Dara Varam', 'Mohamed I. AlHajri'],
    venue: 'TMLR',
    year: 2026,
    url: 'https://arxiv.org/abs/2606.29521',
  },
  formula:
    'u = d |g_1| / |d|, d = argmin |d − s_1 g_1|² where ⟨d, s_j g_j⟩ >= τ |s_j g_j|² for j > 1, s_k = 1 / √v_k, v_k the running mean of |g_k|²',
  use: 'For one objective that matters, such as the joint loss, and others that are to make some progress beside it.',
  properties: {
    nonConflicting: { not: 'the primary objective may rise where others point against it' },
    permutation: { not: 'the first objective of a group is the primary one' },
    homogeneity: 1,
    linearUnderRowScaling: true,
    single: 1,
    stationary: 'moves',
  },
  options: pcdOptions,
  create: pcd,
});
