import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'chooses signs coordinate by coordinate' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the sum of each coordinate decides on its sign' },
      single: 1,
      stationary: 'moves',
    },
  },
);
