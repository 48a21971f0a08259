export { gradNorm, type GradNormOptions, type GradNormState } from './gradnorm.ts';
export { plugin } from './plugin.ts';
