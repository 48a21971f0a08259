import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance({ describe, it }, { plugin });

strategyConformance(
  { describe, it },
  {
    plugin,
    title: 'pcgrad of two objectives',
    K: { min: 1, max: 2 },
    properties: {
      nonConflicting: true,
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: true,
      single: 1,
      stationary: 'zero',
    },
  },
);
