export { fairgrad, type FairgradOptions } from './fairgrad.ts';
export { plugin } from './plugin.ts';
