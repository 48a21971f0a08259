export { imtlG } from './imtl-g.ts';
export { plugin } from './plugin.ts';
