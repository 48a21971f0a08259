import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { cagrad, type CagradOptions, cagradOptions } from './cagrad.ts';

/** The description of {@link cagrad} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<CagradOptions> = /* @__PURE__ */ definePlugin<CagradOptions>({
  specification: 1,
  name: 'cagrad',
  title: 'CAGrad',
  summary: 'Takes, near the mean of the gradients, the update whose smallest gain is greatest.',
  paper: {
    title: 'Conflict-Averse Gradient Descent for Multi-task Learning',
    authors: ['Bo Liu', 'Xingchao Liu', 'Xiaojie Jin', 'Peter Stone', 'Qiang Liu'],
    venue: 'NeurIPS',
    year: 2021,
    url: 'https://arxiv.org/abs/2110.14048',
  },
  use: 'Where the mean of the losses should converge without leaving the worst objective behind.',
  properties: {
    nonConflicting: { not: 'stays within half a length of the mean' },
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: { not: 'the mean follows the longest gradients' },
    single: 1.5,
    stationary: 'moves',
  },
  options: cagradOptions,
  create: cagrad,
});
