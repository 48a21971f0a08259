import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    // The step size is absolute: rounding grows with long gradients.
    tolerance: 1e-4,
    properties: {
      nonConflicting: { not: 'weights take small steps' },
      permutation: true,
      homogeneity: { not: 'the step size of the weights is not relative to the gradients' },
      linearUnderRowScaling: { not: 'the weights follow the lengths of the gradients' },
      single: 1,
      stationary: 'moves',
    },
  },
);
