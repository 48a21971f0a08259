import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { imtlG } from './imtl-g.ts';

/** The description of {@link imtlG} for listings, command lines and configurations. */
export const plugin: StrategyPlugin = /* @__PURE__ */ definePlugin({
  specification: 1,
  name: 'imtl-g',
  title: 'IMTL-G',
  summary: 'Weighs the gradients so that the update has the same projection on each of them.',
  paper: {
    title: 'Towards Impartial Multi-task Learning',
    authors: [
      'Liyang Liu',
      'Yi Li',
      'Zhanghui Kuang',
      'Jing-Hao Xue',
      'Yimin Chen',
      'Wenming Yang',
      'Qingmin Liao',
      'Wayne Zhang',
    ],
    venue: 'ICLR',
    year: 2021,
    url: 'https://openreview.net/forum?id=IMPnRXEWpvr',
  },
  formula:
    'u = Σ_k w_k g_k, w = v / Σ_k v_k with v = G⁺ (|g_1|, …, |g_K|): ⟨u, g_k⟩ / |g_k| is the same for every k',
  use: 'For tasks that should progress alike whatever the size of their gradients.',
  properties: {
    nonConflicting: { not: 'makes projections equal, with negative weights where need be' },
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: { not: 'unit gradients decide the direction, the plain ones the size' },
    single: 1,
    stationary: 'zero',
  },
  options: {},
  create: imtlG,
});
