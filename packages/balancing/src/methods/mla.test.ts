import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './mla.ts';

describeBalancing({ plugin, fusion: 'summation', refused: ['concatenation', 'gated', 'film'] });
