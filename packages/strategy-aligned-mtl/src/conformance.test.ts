import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'makes principal components equal, not gains' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'principal components follow the lengths of the gradients' },
      single: 1,
      stationary: 'moves',
    },
  },
);
