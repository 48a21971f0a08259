export { krum, type KrumOptions } from './krum.ts';
export { plugin } from './plugin.ts';
