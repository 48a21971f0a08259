import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'corrections follow cosines of the past' },
      permutation: { not: 'corrections come in random order' },
      homogeneity: 1,
      linearUnderRowScaling: true,
      single: 1,
      stationary: 'moves',
    },
  },
);
