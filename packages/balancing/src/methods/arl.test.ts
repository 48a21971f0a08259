import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './arl.ts';

describeBalancing({ plugin, options: { start: '0', gamma: '2' }, counts: [2] });
