import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './lfm.ts';

describeBalancing({ plugin, refused: ['gated', 'summation'] });
