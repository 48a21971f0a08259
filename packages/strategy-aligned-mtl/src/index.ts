export { alignedMtl, type AlignedMTLOptions } from './aligned-mtl.ts';
export { plugin } from './plugin.ts';
