import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './cml.ts';

describeBalancing({ plugin, options: { lambda: '1' } });
