export { nashMtl, type NashMtlOptions, type NashMtlState } from './nash-mtl.ts';
export { plugin } from './plugin.ts';
