export { gradnorm, type GradnormOptions, type GradnormState } from './gradnorm.ts';
export { plugin } from './plugin.ts';
