import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { caGrad, plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'stays within half a length of the mean' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the mean follows the longest gradients' },
      single: 1.5,
      stationary: 'moves',
    },
  },
);

strategyConformance(
  { describe, it },
  {
    title: 'cagrad with c = 1',
    plugin,
    create: () => caGrad({ c: 1 }),
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
