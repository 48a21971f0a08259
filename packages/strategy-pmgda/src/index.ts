export { plugin } from './plugin.ts';
export { pmgda, type PmgdaOptions } from './pmgda.ts';
