import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { moco, type MoCoOptions, mocoOptions } from './moco.ts';

/** The description of {@link moco} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<MoCoOptions> = /* @__PURE__ */ definePlugin<MoCoOptions>({
  specification: 1,
  name: 'moco',
  title: 'MoCo',
  summary:
    'Tracks weights and gradients over steps, which removes the bias of gradients of mini-batches.',
  paper: {
    title: 'Mitigating Gradient Bias in Multi-objective Learning: A Provably Convergent Approach',
    authors: [
      'Heshan Fernando',
      'Han Shen',
      'Miao Liu',
      'Subhajit Chaudhury',
      'Keerthiram Murugesan',
      'Tianyi Chen',
    ],
    venue: 'ICLR',
    year: 2023,
    url: 'https://arxiv.org/abs/2210.12624',
  },
  options: mocoOptions,
  create: moco,
});
