export { dualproj, type DualprojOptions } from './dualproj.ts';
export { plugin } from './plugin.ts';
