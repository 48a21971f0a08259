export { excessMtl, type ExcessMtlOptions, type ExcessMtlState } from './excess-mtl.ts';
export { plugin } from './plugin.ts';
