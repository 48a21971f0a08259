export { conFig, type ConFIGOptions } from './config.ts';
export { plugin } from './plugin.ts';
