export { sdmgrad, type SdmgradOptions, type SdmgradState } from './sdmgrad.ts';
export { plugin } from './plugin.ts';
