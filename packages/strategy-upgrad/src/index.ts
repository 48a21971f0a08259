export { upgrad, type UPGradOptions } from './upgrad.ts';
export { plugin } from './plugin.ts';
