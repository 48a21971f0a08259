import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './data-remixing.ts';

describeBalancing({ plugin, options: { warmUp: '1' } });
