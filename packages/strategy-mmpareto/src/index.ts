export { mmpareto } from './mmpareto.ts';
export type { MmparetoOptions } from './options.ts';
export { plugin } from './plugin.ts';
