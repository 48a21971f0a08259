import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './opm.ts';

describeBalancing({ plugin, options: { executed: '1' } });
