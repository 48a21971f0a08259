import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './relearning.ts';

describeBalancing({ plugin, options: { every: '1' } });
