import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './ogm-ge.ts';

describeBalancing({ plugin, options: { alpha: '0.8' }, refused: ['gated', 'summation'] });
