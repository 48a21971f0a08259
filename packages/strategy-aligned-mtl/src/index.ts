export { alignedMtl, type AlignedMtlOptions } from './aligned-mtl.ts';
export { plugin } from './plugin.ts';
