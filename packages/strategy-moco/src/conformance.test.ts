import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'tracked gradients lag behind' },
      permutation: true,
      homogeneity: 0,
      linearUnderRowScaling: { not: 'gradients are taken at unit length' },
      single: ({ length, loss }) => (0.5 * loss) / length,
      stationary: 'moves',
    },
  },
);
