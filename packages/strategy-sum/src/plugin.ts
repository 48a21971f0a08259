import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { sum, type SumOptions, sumOptions } from './sum.ts';

/** The description of {@link sum} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<SumOptions> = /* @__PURE__ */ definePlugin<SumOptions>({
  specification: 1,
  name: 'sum',
  title: 'Sum',
  summary:
    'Adds the gradients up, each with a fixed weight: plain training on the sum of the losses.',
  paper: null,
  formula: 'u = Σ_k w_k g_k, w_k = 1 unless given',
  use: 'As the baseline: training on the added losses, at its cost.',
  properties: {
    nonConflicting: { not: 'adds the gradients whatever their conflict' },
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: true,
    single: 1,
    stationary: 'moves',
  },
  options: sumOptions,
  create: sum,
});
