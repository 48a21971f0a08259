export { mgda, type MgdaOptions } from './mgda.ts';
export { plugin } from './plugin.ts';
