import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './g2d.ts';

describeBalancing({ plugin, options: { teacherEpochs: '3', teacherRate: '0.02' }, counts: [2] });
