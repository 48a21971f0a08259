export { mmpareto } from './mmpareto.ts';
export type { MMParetoOptions } from './options.ts';
export { plugin } from './plugin.ts';
