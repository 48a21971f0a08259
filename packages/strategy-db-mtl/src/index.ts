export { dbMtl, type DBMTLOptions, type DBMTLState } from './db-mtl.ts';
export { plugin } from './plugin.ts';
