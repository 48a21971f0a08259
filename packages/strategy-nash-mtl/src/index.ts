export { nashMtl, type NashMTLOptions, type NashMTLState } from './nash-mtl.ts';
export { plugin } from './plugin.ts';
