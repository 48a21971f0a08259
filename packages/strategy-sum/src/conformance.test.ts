import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'adds the gradients whatever their conflict' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: true,
      single: 1,
      stationary: 'moves',
    },
  },
);
