import { describeBalancing } from '../testing/conformance.ts';
import { plugin } from './inforeg.ts';

// So low a threshold that every epoch from the third on is in the window.
describeBalancing({ plugin, options: { threshold: '-1000' }, epochs: 4 });
