export { graddrop, type GraddropOptions } from './graddrop.ts';
export { plugin } from './plugin.ts';
