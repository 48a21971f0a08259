import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { alignedMtl, type AlignedMtlOptions, alignedMtlOptions } from './aligned-mtl.ts';

/** The description of {@link alignedMtl} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<AlignedMtlOptions> =
  /* @__PURE__ */ definePlugin<AlignedMtlOptions>({
    specification: 1,
    name: 'aligned-mtl',
    title: 'Aligned-MTL',
    summary:
      'Makes the gradients orthogonal and equally long by the least change, then averages them.',
    paper: {
      title: 'Independent Component Alignment for Multi-Task Learning',
      authors: ['Dmitry Senushkin', 'Nikolay Patakin', 'Arseny Kuznetsov', 'Anton Konushin'],
      venue: 'CVPR',
      year: 2023,
      url: 'https://arxiv.org/abs/2305.19000',
    },
    formula:
      'u = Jᵀ B p, B = √s V Λ^(−1/2) Vᵀ of the eigenvalues Λ and eigenvectors V of G, s the smallest eigenvalue that is not zero (or their median or mean), Σ_k p_k = 1',
    use: 'For gradients of very different size or nearly dependent ones, where a stable step matters most.',
    properties: {
      nonConflicting: { not: 'makes principal components equal, not gains' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'principal components follow the lengths of the gradients' },
      single: 1,
      stationary: 'moves',
    },
    options: alignedMtlOptions,
    create: alignedMtl,
  });
