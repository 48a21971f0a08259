import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './reconboost.ts';

describeBalancing({ plugin, options: { stageEpochs: '1', jointEpochs: '1' } });
