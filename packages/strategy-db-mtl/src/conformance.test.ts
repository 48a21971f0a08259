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
      linearUnderRowScaling: { not: 'all gradients get the length of the longest' },
      single: ({ loss }) => 0.1 / (loss + 1e-8),
      stationary: 'moves',
    },
  },
);
