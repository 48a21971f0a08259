import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugin } from './index.ts';

strategyConformance(
  { describe, it },
  {
    plugin,
    // The step size is absolute: rounding grows with long gradients.
    tolerance: 1e-4,
  },
);
