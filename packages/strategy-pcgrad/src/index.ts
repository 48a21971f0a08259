export { pcgrad, type PcgradOptions } from './pcgrad.ts';
export { plugin } from './plugin.ts';
