import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { mmpareto, plugin } from './index.ts';

strategyConformance({ describe, it }, { plugin });

strategyConformance(
  { describe, it },
  {
    plugin,
    title: 'mmpareto, rescaled by tensor',
    create: () => mmpareto({ rescale: 'tensor' }),
    properties: {
      nonConflicting: { not: 'tensors are rescaled apart from each other' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'the shortest combination is not linear in the gradients' },
      single: 1.5,
      stationary: 'zero',
    },
  },
);
