export { caGrad, type CAGradOptions } from './cagrad.ts';
export { plugin } from './plugin.ts';
