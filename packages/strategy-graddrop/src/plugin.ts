import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { graddrop, type GraddropOptions, graddropOptions } from './graddrop.ts';

/** The description of {@link graddrop} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<GraddropOptions> =
  /* @__PURE__ */ definePlugin<GraddropOptions>({
    specification: 1,
    name: 'graddrop',
    title: 'GradDrop',
    summary:
      'Lets gradients of one sign pass at each coordinate, drawn by how the signs share its magnitude.',
    paper: {
      title: 'Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout',
      authors: [
        'Zhao Chen',
        'Jiquan Ngiam',
        'Yanping Huang',
        'Thang Luong',
        'Henrik Kretzschmar',
        'Yuning Chai',
        'Dragomir Anguelov',
      ],
      venue: 'NeurIPS',
      year: 2020,
      url: 'https://arxiv.org/abs/2010.06808',
    },
    formula:
      'At each coordinate u = Σ_k (l_k g_k + (1 − l_k) mask_k g_k); with P = (1 + Σ_k g_k / Σ_k |g_k|) / 2 and a uniform U the mask passes entries > 0 where P > U, else those < 0',
    use: 'To settle conflicts of sign at random, as dropout does, coordinate by coordinate.',
    properties: {
      nonConflicting: { not: 'chooses signs coordinate by coordinate' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the sum of each coordinate decides on its sign' },
      single: 1,
      stationary: 'moves',
    },
    options: graddropOptions,
    create: graddrop,
  });
