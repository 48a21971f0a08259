export { gradvac, type GradVacOptions, type GradVacState } from './gradvac.ts';
export { plugin } from './plugin.ts';
