import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { excessMtl, type ExcessMtlOptions, excessMtlOptions } from './excess-mtl.ts';

/** The description of {@link excessMtl} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<ExcessMtlOptions> =
  /* @__PURE__ */ definePlugin<ExcessMtlOptions>({
    specification: 1,
    name: 'excess-mtl',
    title: 'ExcessMTL',
    summary: 'Gives objectives that are far from convergence more weight, whatever their losses.',
    paper: {
      title: 'Robust Multi-Task Learning with Excess Risks',
      authors: [
        'Yifei He',
        'Shiji Zhou',
        'Guojun Zhang',
        'Hyokun Yun',
        'Yi Xu',
        'Belinda Zeng',
        'Trishul Chilimbi',
        'Han Zhao',
      ],
      venue: 'ICML',
      year: 2024,
      url: 'https://arxiv.org/abs/2402.02009',
    },
    formula:
      'u = Σ_k w_k g_k, w_k ← w_k exp(η e_k / e_k⁰) of the sum K, e_k = Σ g_k² / √S_k with S_k the squares of all gradients so far',
    use: 'Where some objectives have noisy labels, whose losses stay high whatever is done.',
    properties: {
      nonConflicting: { not: 'adds the gradients with weights >= 0 whatever their conflict' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: true,
      single: 1,
      stationary: 'moves',
    },
    options: excessMtlOptions,
    create: excessMtl,
  });
