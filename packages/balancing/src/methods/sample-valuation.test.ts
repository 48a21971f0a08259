import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './sample-valuation.ts';

describeBalancing({ plugin, options: { warmUp: '1' } });
