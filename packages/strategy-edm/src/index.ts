export { edm } from './edm.ts';
export { plugin } from './plugin.ts';
