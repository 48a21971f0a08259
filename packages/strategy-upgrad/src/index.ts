export { upgrad, type UpgradOptions } from './upgrad.ts';
export { plugin } from './plugin.ts';
