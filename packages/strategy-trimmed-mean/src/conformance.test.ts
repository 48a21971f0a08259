import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    sizes: { minimum: 3 },
    properties: {
      nonConflicting: { not: 'trims each coordinate by itself' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'which values are trimmed depends on their size' },
      single: { not: 'needs three' },
      stationary: 'moves',
    },
  },
);
