import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './mmcosine.ts';

describeBalancing({
  plugin,
  options: { scale: '3' },
  refused: ['gated', 'summation'],
  rate: 0.03,
  // The direction of features of which one alone is not 0 does not change: their gradients are rounding errors.
  features: 16,
});
