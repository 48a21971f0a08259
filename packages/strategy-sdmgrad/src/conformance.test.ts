import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'the mean has its part in the update' },
      permutation: 'independent',
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the weights follow the lengths of the gradients' },
      single: 1,
      stationary: 'moves',
    },
  },
);
