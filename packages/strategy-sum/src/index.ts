export { plugin } from './plugin.ts';
export { sum, type SumOptions } from './sum.ts';
