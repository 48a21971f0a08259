export { dualProj, type DualProjOptions } from './dualproj.ts';
export { plugin } from './plugin.ts';
