import { madeUp } from './made-up.mjs';

export const experiment = madeUp('summed', 'Summed features', { fusion: 'summation' });
