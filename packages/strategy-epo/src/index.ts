export { epo, type EpoOptions } from './epo.ts';
export { plugin } from './plugin.ts';
