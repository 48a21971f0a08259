export { fairGrad, type FairGradOptions } from './fairgrad.ts';
export { plugin } from './plugin.ts';
