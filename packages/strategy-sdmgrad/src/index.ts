export { sdmgrad, type SDMGradOptions, type SDMGradState } from './sdmgrad.ts';
export { plugin } from './plugin.ts';
