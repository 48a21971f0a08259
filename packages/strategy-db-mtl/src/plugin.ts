import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { dbMtl, type DBMTLOptions, dbMtlOptions } from './db-mtl.ts';

/** The description of {@link dbMtl} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<DBMTLOptions> = /* @__PURE__ */ definePlugin<DBMTLOptions>({
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
  options: dbMtlOptions,
  create: dbMtl,
});
