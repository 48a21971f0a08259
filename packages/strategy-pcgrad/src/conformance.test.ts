import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    properties: {
      nonConflicting: { not: 'later projections undo earlier ones' },
      permutation: { not: 'corrections come in random order' },
      homogeneity: 1,
      linearUnderRowScaling: true,
      single: 1,
      stationary: 'moves',
    },
  },
);

strategyConformance(
  { describe, it },
  {
    title: 'pcgrad of two objectives',
    plugin,
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
