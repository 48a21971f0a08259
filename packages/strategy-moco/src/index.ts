export { moco, type MoCoOptions, type MoCoState } from './moco.ts';
export { plugin } from './plugin.ts';
