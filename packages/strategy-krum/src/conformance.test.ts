import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    sizes: { minimum: 3 },
    properties: {
      nonConflicting: { not: 'takes the gradient with the nearest neighbours' },
      permutation: { not: 'ties between the nearest are broken by order' },
      homogeneity: 1,
      linearUnderRowScaling: { not: 'which gradients are near depends on their lengths' },
      single: { not: 'needs three' },
      stationary: 'moves',
    },
  },
);
