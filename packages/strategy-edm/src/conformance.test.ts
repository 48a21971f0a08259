import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: true,
      permutation: 'independent',
      homogeneity: 1,
      linearUnderRowScaling: {
        not: 'unit gradients decide the direction, the plain ones the size',
      },
      single: 1,
      stationary: 'zero',
    },
  },
);
