import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './dgl.ts';

describeBalancing({ plugin });
