export { moco, type MocoOptions, type MocoState } from './moco.ts';
export { plugin } from './plugin.ts';
