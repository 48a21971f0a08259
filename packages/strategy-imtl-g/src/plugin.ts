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
  options: {},
  create: imtlG,
});
