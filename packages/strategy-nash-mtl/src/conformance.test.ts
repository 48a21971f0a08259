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
      homogeneity: 0,
      linearUnderRowScaling: { not: 'the length of the update is fixed' },
      single: ({ length }) => 1 / length,
      stationary: 'zero',
    },
  },
);
