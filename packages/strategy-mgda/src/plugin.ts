import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { mgda, type MgdaOptions, mgdaOptions } from './mgda.ts';

/** The description of {@link mgda} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<MgdaOptions> = /* @__PURE__ */ definePlugin<MgdaOptions>({
  specification: 1,
  name: 'mgda',
  title: 'MGDA',
  summary:
    'Takes the shortest convex combination of the gradients, which descends on every objective.',
  paper: {
    title: 'Multi-Task Learning as Multi-Objective Optimization',
    authors: ['Ozan Sener', 'Vladlen Koltun'],
    venue: 'NeurIPS',
    year: 2018,
    url: 'https://arxiv.org/abs/1810.04650',
  },
  use: 'Where no objective may get worse and short steps are acceptable.',
  properties: {
    nonConflicting: true,
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: { not: 'the shortest combination is not linear in the gradients' },
    single: 1,
    stationary: 'zero',
  },
  options: mgdaOptions,
  create: mgda,
});
