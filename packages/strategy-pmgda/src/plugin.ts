import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { pmgda, type PmgdaOptions, pmgdaOptions } from './pmgda.ts';

/** The description of {@link pmgda} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<PmgdaOptions> = /* @__PURE__ */ definePlugin<PmgdaOptions>({
  specification: 1,
  name: 'pmgda',
  title: 'PMGDA',
  summary: 'Brings the losses to a preferred ray, and takes the steps of MGDA once they are there.',
  paper: {
    title: 'PMGDA: A Preference-based Multiple Gradient Descent Algorithm',
    authors: ['Xiaoyuan Zhang', 'Xi Lin', 'Qingfu Zhang'],
    venue: 'arXiv',
    year: 2024,
    url: 'https://arxiv.org/abs/2402.09492',
  },
  formula:
    'u = Σ_k μ_k g_k / |g_k| + μ_h ∇h / |∇h|, μ = argmax min_k ⟨u, g_k⟩ over the simplex with ⟨u, ∇h⟩ >= σ |∇h|, h the distance of the losses from the ray; where h is small the shortest convex combination of the gradients',
  use: 'For a chosen trade-off, where the direction of the ray matters more than quick descent.',
  properties: {
    nonConflicting: { not: 'an objective ahead of the ray may rise' },
    permutation: 'independent',
    homogeneity: { not: 'corrections are made of unit gradients' },
    linearUnderRowScaling: { not: 'the solution of a linear program jumps' },
    single: 1,
    stationary: 'moves',
  },
  options: pmgdaOptions,
  create: pmgda,
});
