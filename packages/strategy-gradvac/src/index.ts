export { gradvac, type GradvacOptions, type GradvacState } from './gradvac.ts';
export { plugin } from './plugin.ts';
