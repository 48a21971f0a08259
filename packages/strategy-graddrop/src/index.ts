export { gradDrop, type GradDropOptions } from './graddrop.ts';
export { plugin } from './plugin.ts';
