export { mgda, type MGDAOptions } from './mgda.ts';
export { plugin } from './plugin.ts';
