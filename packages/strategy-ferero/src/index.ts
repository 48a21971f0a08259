export { ferero, type FereroOptions } from './ferero.ts';
export { plugin } from './plugin.ts';
