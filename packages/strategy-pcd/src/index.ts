export { pcd, type PcdOptions, type PcdState } from './pcd.ts';
export { plugin } from './plugin.ts';
