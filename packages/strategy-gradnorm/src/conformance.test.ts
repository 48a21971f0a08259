import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'only lengths are balanced' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the weights train against the lengths' },
      single: 1,
      stationary: 'moves',
    },
  },
);
