import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'does not look at gradients' },
      permutation: { not: 'weights are drawn in the order of objectives' },
      homogeneity: 1,
      linearUnderRowScaling: true,
      single: 1,
      stationary: 'moves',
    },
  },
);
