import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { conflictFree, type ConflictFreeOptions, conflictFreeOptions } from './conflict-free.ts';

/** The description of {@link conflictFree} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<ConflictFreeOptions> =
  /* @__PURE__ */ definePlugin<ConflictFreeOptions>({
    specification: 1,
    name: 'conflict-free',
    title: 'ConFIG',
    summary:
      'Takes the direction that has the same cosine with every gradient, as long as their projections on it add up to.',
    paper: {
      title: 'ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks',
      authors: ['Qiang Liu', 'Mengyu Chu', 'Nils Thuerey'],
      venue: 'ICLR',
      year: 2025,
      url: 'https://arxiv.org/abs/2408.11104',
    },
    formula:
      'u = (Σ_k ⟨g_k, d⟩) d, d the unit vector along Σ_k y_k g_k / |g_k|, y = C⁺ p with the matrix C of cosines',
    use: 'For losses of very different scale, such as those of physics-informed networks, that should all fall at one relative rate.',
    properties: {
      nonConflicting: 'independent',
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: true,
      single: 1,
      stationary: 'zero',
    },
    options: conflictFreeOptions,
    create: conflictFree,
  });
