export { cagrad, type CagradOptions } from './cagrad.ts';
export { plugin } from './plugin.ts';
