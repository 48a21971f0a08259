import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: true,
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the shortest combination is not linear in the gradients' },
      single: 1,
      stationary: 'zero',
    },
  },
);
