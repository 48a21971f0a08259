import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { dbMtl, type DbMtlOptions, dbMtlOptions } from './db-mtl.ts';

/** The description of {@link dbMtl} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<DbMtlOptions> = /* @__PURE__ */ definePlugin<DbMtlOptions>({
  specification: 1,
  name: 'db-mtl',
  title: 'DB-MTL',
  summary:
    'Averages the gradients of the logarithms of the losses over steps, and scales them to one length.',
  paper: {
    title: 'Dual-Balancing for Multi-Task Learning',
    authors: [
      'Baijiong Lin',
      'Weisen Jiang',
      'Feiyang Ye',
      'Yu Zhang',
      'Pengguang Chen',
      'Ying-Cong Chen',
      'Shu Liu',
      'James T. Kwok',
    ],
    venue: 'arXiv',
    year: 2023,
    url: 'https://arxiv.org/abs/2308.12029',
  },
  formula:
    'u = Σ_k (max_j |m_j| / |m_k|) m_k, m_k ← b m_k + (1 − b) g_k / (L_k + 10⁻⁸), b = β / t^σ at step t',
  use: 'For losses and gradients of very different scale, with no weights to tune.',
  properties: {
    nonConflicting: { not: 'only lengths are balanced' },
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: { not: 'all gradients get the length of the longest' },
    single: ({ loss }) => 0.1 / (loss + 1e-8),
    stationary: 'moves',
  },
  options: dbMtlOptions,
  create: dbMtl,
});
