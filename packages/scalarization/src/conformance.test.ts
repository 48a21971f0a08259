import { strategyConformance, type StrategyProperties } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugins } from './index.ts';

const blind = { not: 'sees losses alone' };

/** What all of them have in common: weights that follow the losses, whatever the gradients. */
const common: StrategyProperties = {
  nonConflicting: blind,
  permutation: true,
  homogeneity: 1,
  linearUnderRowScaling: true,
  single: 1,
  stationary: 'moves',
};

const own: Readonly<Record<string, Partial<StrategyProperties>>> = {
  'uncertainty-weighting': { single: () => Math.exp(0.5) / 2 },
  dwa: {},
  famo: {},
  gls: {},
  'smooth-tchebycheff': {},
  'imtl-l': { single: () => 1 },
  'random-loss-weighting': { permutation: { not: 'draws weights in the order of objectives' } },
  pbi: {},
  cosmos: {},
};

for (const plugin of plugins) {
  strategyConformance(
    { describe, it },
    { plugin, properties: { ...common, ...own[plugin.name]! } },
  );
}
