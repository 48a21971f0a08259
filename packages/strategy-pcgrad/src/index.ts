export { pcgrad, type PCGradOptions } from './pcgrad.ts';
export { plugin } from './plugin.ts';
