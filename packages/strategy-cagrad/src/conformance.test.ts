import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { cagrad, plugin } from './index.ts';

strategyConformance({ describe, it }, { plugin });

strategyConformance(
  { describe, it },
  {
    plugin,
    title: 'cagrad with c = 1',
    create: () => cagrad({ c: 1 }),
    properties: {
      nonConflicting: true,
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the mean follows the longest gradients' },
      single: 2,
      stationary: 'zero',
    },
  },
);
